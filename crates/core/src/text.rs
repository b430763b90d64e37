//! Words of others (names, cells, keys) made fit for where they are shown. They
//! come from files that nobody vouches for, and must neither steer a terminal,
//! nor become markup, nor lead a path elsewhere, nor look like other words.

/// Longest name of a file, in bytes; systems allow some 255, and endings and marks of unfinished
/// files take some of these.
const LONGEST: usize = 120;

/// Names that are devices on Windows, whatever follows the first point.
const DEVICES: [&str; 22] = [
    "aux", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "con", "lpt1",
    "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9", "nul", "prn",
];

/// Words for a terminal, and for every other place before its own rules: no
/// control characters (ESC, line breaks), no marks that turn the direction of
/// writing, nothing invisible.
pub fn plain(words: &str) -> String {
    words.chars().map(|letter| if is_harmful(letter) { '\u{fffd}' } else { letter }).collect()
}

/// [`plain`] for text of several lines: line breaks stay.
pub fn plain_lines(text: &str) -> String {
    let shown = |letter| if letter != '\n' && is_harmful(letter) { '\u{fffd}' } else { letter };
    text.chars().map(shown).collect()
}

/// Whether a letter steers a terminal, turns the direction of writing, or cannot be seen.
pub fn is_harmful(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{fffe}'..='\u{ffff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// Words that Markdown, and HTML in it, leave as they are, on one line.
pub fn markdown(words: &str) -> String {
    let mut safe = String::new();
    for letter in plain(words).chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            // `@name` would call somebody, `#1` would refer to something.
            '@' => safe.push_str("&#64;"),
            '#' => safe.push_str("&#35;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' => {
                safe.push('\\');
                safe.push(letter);
            }
            letter => safe.push(letter),
        }
    }
    // Addresses become links by themselves.
    safe.replace("://", "&#58;//").replace("www.", "www&#46;")
}

/// Words for text and quoted attributes of HTML.
pub fn html(words: &str) -> String {
    let mut safe = String::new();
    for letter in plain(words).chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            letter => safe.push(letter),
        }
    }
    safe
}

/// Words for text and attributes of XML 1.0, which allows what HTML does once
/// there are no control characters.
pub fn xml(words: &str) -> String {
    html(words)
}

/// A name as the name of a file or folder: it leads nowhere else, differs
/// from that of every other name even where a system takes capitals for small
/// letters, is no device and no hidden file, and is at most 120 bytes long.
///
/// Names of small ASCII letters, digits, `-` and `_` stay as they are. Every
/// other byte becomes `~` and two digits; capitals stay, and `~u` at the end with
/// a number in base 16 says which letters they are (the first is its lowest
/// bit). What is too long is cut, and ends with `~~` and a hash of the whole.
pub fn file_name(name: &str) -> String {
    let mut safe = String::new();
    let (mut letters, mut capitals) = (0_u32, 0_u128);
    let device = DEVICES.contains(&name.to_ascii_lowercase().as_str());
    for (at, byte) in name.bytes().enumerate() {
        let stays = byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if !stays || at == 0 && (byte == b'-' || device) {
            safe.push_str(&format!("~{byte:02x}"));
            continue;
        }
        safe.push(byte.into());
        if byte.is_ascii_alphabetic() && letters < 128 {
            capitals |= u128::from(byte.is_ascii_uppercase()) << letters;
            letters += 1;
        }
    }
    if capitals > 0 {
        safe.push_str(&format!("~u{capitals:x}"));
    }
    if name.is_empty() {
        safe.push('~');
    }
    if safe.len() > LONGEST {
        safe.truncate(LONGEST / 2);
        let hash = blake3::hash(name.as_bytes()).to_hex();
        safe.push_str(&format!("~~{}", &hash[..32]));
    }
    safe
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn nothing_steers_a_terminal() {
        assert_eq!(plain("a\u{1b}[31m\u{202e}b\nc"), "a\u{fffd}[31m\u{fffd}b\u{fffd}c");
        assert_eq!(plain_lines("a\u{9b}m\nb\u{2066}\r"), "a\u{fffd}m\nb\u{fffd}\u{fffd}");
        assert_eq!(plain("Größe 漢字 –"), "Größe 漢字 –");
        assert_eq!(plain("a\u{200b}b\u{e0041}\u{61c}"), "a\u{fffd}b\u{fffd}\u{fffd}");
    }

    #[test]
    fn nothing_becomes_markup() {
        assert_eq!(
            markdown("a|b\u{1b}<script>@team #1 `x` *y* [z](u)"),
            "a\\|b\u{fffd}&lt;script&gt;&#64;team &#35;1 \\`x\\` \\*y\\* \\[z\\](u)"
        );
        assert_eq!(markdown("https://x.y www.z"), "https&#58;//x.y www&#46;z");
        assert_eq!(markdown("a\n# b"), "a\u{fffd}&#35; b");
        assert_eq!(
            html("\"a\" & <b onclick='c'>"),
            "&quot;a&quot; &amp; &lt;b onclick=&#39;c&#39;&gt;"
        );
        assert_eq!(xml("]]>\u{0}\u{ffff}"), "]]&gt;\u{fffd}\u{fffd}");
    }

    #[test]
    fn names_of_files_say_what_they_are() {
        let cases = [
            ("easy-2_b", "easy-2_b"),
            ("today", "today"),
            ("Today", "Today~u1"),
            ("KTH SP2", "KTH~20SP2~u1f"),
            ("../../x", "~2e~2e~2f~2e~2e~2fx"),
            ("compare.csv", "compare~2ecsv"),
            ("/etc/passwd", "~2fetc~2fpasswd"),
            ("C:\\x", "C~3a~5cx~u1"),
            ("é%", "~c3~a9~25"),
            ("-rf", "~2drf"),
            ("CON", "~43ON~u3"),
            ("", "~"),
            (".", "~2e"),
            ("a\0b\n", "a~00b~0a"),
        ];
        for (name, want) in cases {
            assert_eq!(file_name(name), want, "{name:?}");
        }
    }

    /// Whatever names are like, no two of them share a file.
    #[test]
    fn names_of_files_differ_where_names_do() {
        let long = "x".repeat(500);
        let mut names: Vec<String> = ["", "~", "~~", "~u1", "~20", " ", "a~u1", "A", "a", "aU1"]
            .iter()
            .chain(&[
                "con", "Con", "CON", "~63on", "~43on", ".", "..", "é", "É", "e\u{301}", "-", "~2d",
            ])
            .map(|&name| name.to_owned())
            .collect();
        names.extend([&long, "y", &long.to_uppercase()].map(|end| format!("{long}{end}")));
        // Every name of up to three of these.
        let letters = ['a', 'A', '~', 'u', '1', '/', '.'];
        for one in letters {
            for two in letters {
                names.push(format!("{one}{two}"));
                names.extend(letters.map(|three| format!("{one}{two}{three}")));
            }
        }
        names.sort();
        names.dedup();
        let mut found = BTreeMap::new();
        for name in &names {
            let file = file_name(name);
            assert!(file.len() <= LONGEST, "{file}");
            let fit = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~".contains(&byte);
            assert!(file.bytes().all(fit) && !file.starts_with('-'), "{file}");
            assert!(!DEVICES.contains(&file.to_ascii_lowercase().as_str()), "{file}");
            let other = found.insert(file.to_ascii_lowercase(), name);
            assert_eq!(other, None, "{name:?} has the file of another name: {file}");
        }
    }
}
