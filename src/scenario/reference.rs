//! `docs/scenario.md`: the part that follows from the table of keys.

use super::key::keys;
use super::part::PARTS;
use super::preset::PRESETS;

/// The reference of all keys, parts and presets, in Markdown.
pub fn reference() -> String {
    let mut text = String::new();
    let mut section = "";
    for key in keys().iter().filter(|key| !key.path.starts_with('<')) {
        let (first, nested) =
            key.path.split_once('.').map_or((&*key.path, false), |(first, _)| (first, true));
        let top = if nested || key.kind == super::ValueKind::Table {
            first.trim_end_matches("[]")
        } else {
            ""
        };
        if top != section || text.is_empty() {
            section = top;
            let title = if top.is_empty() { "The question" } else { top };
            let title = if top.is_empty() { title.to_owned() } else { format!("`[{title}]`") };
            text.push_str(&format!(
                "\n### {title}\n\n| key | value | default | meaning |\n|---|---|---|---|\n"
            ));
        }
        let path = key.path.replace('*', "NAME");
        let expected = key.kind.expected().replace('|', "\\|").replace('\t', "\\t");
        let (default, doc) = (key.default.replace('|', "\\|"), key.doc.replace('|', "\\|"));
        text.push_str(&format!("| `{path}` | {expected} | {default} | {doc} |\n"));
    }
    text.push_str("\n### Presets\n\n| preset | what it is | its parts |\n|---|---|---|\n");
    for preset in PRESETS {
        let parts = preset.parts().map(|(part, text)| format!("`{part} = {text}`")).join("<br>");
        text.push_str(&format!("| `{}` | {} | {parts} |\n", preset.name, preset.doc));
    }
    text.push_str("\n### The questions of a policy\n\n");
    for (part, question) in PARTS {
        text.push_str(&format!("- `{part}`: {question}\n"));
    }
    text
}

/// The reference of the keys of a suite, in Markdown.
pub fn suite_reference() -> String {
    let mut text = "\n| key | value | default | meaning |\n|---|---|---|---|\n".to_owned();
    for key in keys() {
        let Some(path) = key.path.strip_prefix("<suite>.") else { continue };
        let path = path.replace('*', "NAME");
        let expected = key.kind.expected();
        text += &format!("| `{path}` | {expected} | {} | {} |\n", key.default, key.doc);
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(file: &str, reference: &str) {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let document = std::fs::read_to_string(&path).unwrap();
        let (begin, end) = ("<!-- reference: begin -->\n", "<!-- reference: end -->\n");
        let (before, rest) = document.split_once(begin).unwrap();
        let (found, after) = rest.split_once(end).unwrap();
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&path, format!("{before}{begin}{reference}{end}{after}")).unwrap();
        } else {
            assert!(found == reference, "run with UPDATE_EXPECT=1 to bring it up to date");
        }
    }

    #[test]
    fn the_documents_are_what_the_program_knows() {
        check("docs/scenario.md", &reference());
        check("docs/check.md", &suite_reference());
    }
}
