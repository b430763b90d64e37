//! A CSV file that is written cell by cell, fast and without allocation.

mod digits;

use std::borrow::Cow;
use std::io::{self, Write as _};

use crate::text::is_harmful;
use crate::units::{Money, Span, Time};

/// Treatment of text that a spreadsheet would take for a formula, or a terminal for orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextCells {
    /// Text that begins as a formula gets a `'` in front, as OWASP advises, and letters that would
    /// steer a terminal are escaped ([`guarded`]). Numbers are never touched.
    #[default]
    Guarded,
    /// Text is written as it is.
    Raw,
}

/// A CSV file under construction (RFC 4180). The first error of its writer is
/// kept and returned at the end; what comes after it is dropped.
#[derive(Debug)]
pub(super) struct Sheet<W> {
    out: W,
    /// Rows on their way to `out`. Each cell brings the comma behind it; the
    /// last one of a row becomes the end of the line.
    rows: Vec<u8>,
    cells: TextCells,
    failed: Option<io::Error>,
}

/// Cells as they are written, by row of the table that their texts are from.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownCells(Vec<Vec<u8>>);

/// Bytes of whole rows that are handed on at once.
const BLOCK: usize = 1 << 16;

impl<W: io::Write> Sheet<W> {
    /// A file with this head.
    pub(super) fn new<S: AsRef<str>>(
        out: W,
        cells: TextCells,
        head: impl IntoIterator<Item = S>,
    ) -> Self {
        let rows = Vec::with_capacity(BLOCK + BLOCK / 8);
        let mut sheet = Self { out, rows, cells, failed: None };
        for name in head {
            sheet.text(name.as_ref());
        }
        sheet.end_row();
        sheet
    }

    /// Ends the row, which has two cells or more.
    pub(super) fn end_row(&mut self) {
        if let Some(last) = self.rows.last_mut() {
            *last = b'\n';
        }
        if self.rows.len() >= BLOCK {
            self.hand_on();
        }
    }

    fn hand_on(&mut self) {
        if self.failed.is_none() {
            self.failed = self.out.write_all(&self.rows).err();
        }
        self.rows.clear();
    }

    /// Writes a text from outside, guarded.
    pub(super) fn text(&mut self, text: &str) {
        if is_plain(text.as_bytes()) {
            self.rows.extend_from_slice(text.as_bytes());
        } else {
            let guarded = match self.cells {
                TextCells::Guarded => guarded(text),
                TextCells::Raw => Cow::Borrowed(text),
            };
            quote(&guarded, &mut self.rows);
        }
        self.rows.push(b',');
    }

    /// The texts of row `row` of a table, each a cell, that come again and again.
    pub(super) fn known<'t, const N: usize>(
        &mut self,
        known: &mut KnownCells,
        row: usize,
        texts: impl FnOnce() -> [&'t str; N],
    ) {
        if known.0.len() <= row {
            known.0.resize(row + 1, Vec::new());
        }
        if known.0[row].is_empty() {
            let from = self.rows.len();
            texts().into_iter().for_each(|text| self.text(text));
            known.0[row] = self.rows[from..].to_vec();
        } else {
            self.rows.extend_from_slice(&known.0[row]);
        }
    }

    /// Writes one of our own words, which need neither guard nor quotes.
    pub(super) fn word(&mut self, word: &'static str) {
        self.rows.extend_from_slice(word.as_bytes());
        self.rows.push(b',');
    }

    /// A number that is text already.
    pub(super) fn number_text(&mut self, number: &str) {
        self.rows.extend_from_slice(number.as_bytes());
        self.rows.push(b',');
    }

    /// Writes an empty cell.
    pub(super) fn empty(&mut self) {
        self.rows.push(b',');
    }

    /// Writes a whole number.
    #[inline]
    pub(super) fn whole(&mut self, value: impl Into<i128>) {
        self.decimal(value.into(), 0);
    }

    /// `value` times ten to the minus `places`, at most 16.
    #[inline(always)]
    pub(super) fn decimal(&mut self, value: i128, places: u32) {
        decimal(value, places, &mut self.rows);
        self.rows.push(b',');
    }

    /// A measured number, in as many digits as it needs to be read back exactly.
    pub(super) fn number(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            write!(self.rows, "{value}").expect("memory takes everything");
        }
        self.rows.push(b',');
    }

    /// Seconds with six decimals, exact; nothing where there is no length.
    pub(super) fn span(&mut self, span: Option<Span>) {
        match span {
            Some(span) => self.decimal(i128::from(span.micros()), 6),
            None => self.empty(),
        }
    }

    /// Seconds since the run's start with six decimals, exact.
    pub(super) fn time(&mut self, time: Option<Time>) {
        self.span(time.map(|time| time - Time::ZERO));
    }

    /// Dollars with nine decimals, exact.
    pub(super) fn money(&mut self, money: Money) {
        self.decimal(money.nanos(), 9);
    }

    /// Flushes and gives the writer back.
    ///
    /// # Errors
    /// The first error of the writer.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.hand_on();
        match self.failed {
            Some(error) => Err(error),
            None => Ok(self.out),
        }
    }
}

/// Bytes of text that needs neither guard nor quotes, as most names are.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        plain[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let others = b" -_./:+";
    let mut at = 0;
    while at < others.len() {
        plain[others[at] as usize] = true;
        at += 1;
    }
    plain
};

#[inline]
fn is_plain(text: &[u8]) -> bool {
    text.first().is_none_or(u8::is_ascii_alphanumeric)
        && text.iter().all(|&byte| PLAIN[usize::from(byte)])
}

/// Appends `text` as one cell, in quotes where it must have them.
fn quote(text: &str, to: &mut Vec<u8>) {
    let mut cell = csv::Writer::from_writer(Vec::new());
    let written = cell.write_record([text]).map_err(|error| error.to_string());
    let bytes = written.and_then(|()| cell.into_inner().map_err(|error| error.to_string()));
    let bytes = bytes.expect("memory takes everything");
    to.extend_from_slice(bytes.strip_suffix(b"\n").unwrap_or(&bytes));
}

/// Appends `value` times ten to the minus `places` (at most 16). In line, so
/// that a number of places known beforehand is divided by as a constant.
#[inline(always)]
fn decimal(value: i128, places: u32, to: &mut Vec<u8>) {
    if value < 0 {
        to.push(b'-');
    }
    // Most numbers fit in a word.
    let Ok(mut rest) = u64::try_from(value.unsigned_abs()) else {
        return long_decimal(value.unsigned_abs(), places, to);
    };
    if places == 0 {
        return digits::whole(rest, to);
    }
    let one = 10_u64.pow(places);
    digits::whole(rest / one, to);
    to.push(b'.');
    rest %= one;
    if let Some(more) = places.checked_sub(8).filter(|&more| more > 0) {
        let low = 10_u64.pow(more);
        digits::last(8, rest / low, to);
        digits::last(more, rest % low, to);
    } else {
        digits::last(places, rest, to);
    }
}

#[cold]
fn long_decimal(value: u128, places: u32, to: &mut Vec<u8>) {
    let text = value.to_string();
    let (whole, part) = text.split_at(text.len() - places as usize);
    to.extend_from_slice(whole.as_bytes());
    if places > 0 {
        to.push(b'.');
        to.extend_from_slice(part.as_bytes());
    }
}

/// `text` on one line, as a name in a file that people also look at: letters that steer a terminal,
/// turn the direction of writing or are invisible are written as `\u{1b}`, and so is the `\` of a
/// text that holds such letters already, so that no two texts become one. Text that then begins as
/// a formula of a spreadsheet, leading blanks aside, or with a `'`, gets a `'` in front: a first
/// `'` is always one to take off.
pub fn guarded(text: &str) -> Cow<'_, str> {
    let text = escaped(text);
    let sign = |c| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠');
    match text.starts_with('\'') || text.trim_start().starts_with(sign) {
        true => Cow::Owned(format!("'{text}")),
        false => text,
    }
}

fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(is_harmful) && !text.contains("\\u{") {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for (at, letter) in text.char_indices() {
        match is_harmful(letter) || text[at..].starts_with("\\u{") {
            true => safe.extend(letter.escape_unicode()),
            false => safe.push(letter),
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact() {
        let cases = [
            (0, 0, "0"),
            (-7, 0, "-7"),
            (0, 6, "0.000000"),
            (1, 6, "0.000001"),
            (-1_500_000, 6, "-1.500000"),
            (12_345_000_000_000, 9, "12345.000000000"),
            (1_234_567, 3, "1234.567"),
            (98, 1, "9.8"),
            (1_234_567_890, 8, "12.34567890"),
            (1, 12, "0.000000000001"),
            (i128::from(u64::MAX), 16, "1844.6744073709551615"),
            (i128::from(u64::MAX) + 1, 0, "18446744073709551616"),
            (i128::from(u64::MAX) * 10, 6, "184467440737095.516150"),
            (i128::MIN, 9, "-170141183460469231731687303715.884105728"),
        ];
        for (value, places, want) in cases {
            let mut text = Vec::new();
            decimal(value, places, &mut text);
            assert_eq!(String::from_utf8(text).as_deref(), Ok(want));
        }
    }

    #[test]
    fn formulas_become_text() {
        let cases = [
            ("=1+1", "'=1+1"),
            ("+a", "'+a"),
            ("-a", "'-a"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "\\u{9}x"),
            ("\rx", "\\u{d}x"),
            ("  \u{a0}=x", "'  \u{a0}=x"),
            ("a\n=b", "a\\u{a}=b"),
            ("＝x", "'＝x"),
            ("\u{1b}[31m\u{202e}\u{9b}é", "\\u{1b}[31m\\u{202e}\\u{9b}é"),
            ("\\u{1b}", "\\u{5c}u{1b}"),
            ("\\u", "\\u"),
            ("a=b", "a=b"),
            ("'=1", "''=1"),
            ("'", "''"),
            ("it's", "it's"),
            ("", ""),
        ];
        for (text, want) in cases {
            assert_eq!(guarded(text), want);
        }
    }

    /// Text that `guarded` was given.
    fn unguarded(text: &str) -> String {
        let mut parts = text.strip_prefix('\'').unwrap_or(text).split("\\u{");
        let mut whole = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (code, rest) = part.split_once('}').expect("an escape ends");
            let code = u32::from_str_radix(code, 16).expect("an escape is a number");
            whole.extend(char::from_u32(code));
            whole += rest;
        }
        whole
    }

    proptest::proptest! {
        #[test]
        fn no_two_texts_become_one(text in "['=+u{}\\\\ 1b9\u{1b}\u{202e}\t]{0,8}") {
            proptest::prop_assert_eq!(unguarded(&guarded(&text)), text);
        }
    }

    #[test]
    fn rows_are_quoted_where_they_must() {
        let mut sheet = Sheet::new(Vec::new(), TextCells::Guarded, ["a", "b"]);
        sheet.text("x,\"y\" z");
        sheet.whole(-3);
        sheet.end_row();
        let out = sheet.finish().expect("memory takes everything");
        assert_eq!(String::from_utf8(out).as_deref(), Ok("a,b\n\"x,\"\"y\"\" z\",-3\n"));
    }

    #[test]
    fn known_texts_are_written_like_others() {
        let mut sheet = Sheet::new(Vec::new(), TextCells::Guarded, ["a", "b"]);
        let mut known = KnownCells::default();
        for row in [1, 0, 1] {
            sheet.known(&mut known, row, || [["=1", "x"], ["p,q", ""]][row]);
            sheet.end_row();
        }
        let out = sheet.finish().expect("memory takes everything");
        assert_eq!(String::from_utf8(out).as_deref(), Ok("a,b\n\"p,q\",\n'=1,x\n\"p,q\",\n"));
    }

    /// Writer that takes no byte.
    struct Full;

    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::new(io::ErrorKind::StorageFull, "full"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_first_error_comes_out_at_the_end() {
        let mut sheet = Sheet::new(Full, TextCells::Raw, ["a"]);
        for row in 0..100_000 {
            sheet.whole(row);
            sheet.end_row();
        }
        let error = sheet.finish().map(|_| ()).map_err(|error| error.kind());
        assert_eq!(error, Err(io::ErrorKind::StorageFull));
    }
}
