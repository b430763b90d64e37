//! A CSV file that is written cell by cell, fast and without allocation.

use std::borrow::Cow;
use std::io;

use crate::units::{Money, Span, Time};

/// What is done to text that a spreadsheet would take for a formula.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextCells {
    /// It gets a `'` in front, as OWASP advises. Numbers are never touched.
    #[default]
    Guarded,
    /// It is written as it is.
    Raw,
}

/// A CSV file under construction. The first error of its writer is kept and
/// returned at the end; what comes after it is dropped.
#[derive(Debug)]
pub(super) struct Sheet<W: io::Write> {
    out: csv::Writer<W>,
    cells: TextCells,
    failed: Option<io::Error>,
}

impl<W: io::Write> Sheet<W> {
    /// A file with this head.
    pub(super) fn new<S: AsRef<str>>(
        out: W,
        cells: TextCells,
        head: impl IntoIterator<Item = S>,
    ) -> Self {
        let out = csv::WriterBuilder::new().buffer_capacity(1 << 16).from_writer(out);
        let mut sheet = Self { out, cells, failed: None };
        for name in head {
            sheet.text(name.as_ref());
        }
        sheet.end_row();
        sheet
    }

    /// Ends the row.
    pub(super) fn end_row(&mut self) {
        if self.failed.is_none() {
            let result = self.out.write_record(None::<&[u8]>);
            self.keep(result);
        }
    }

    fn keep(&mut self, result: csv::Result<()>) {
        if let Err(error) = result {
            let error = match error.into_kind() {
                csv::ErrorKind::Io(error) => error,
                other => io::Error::other(format!("{other:?}")),
            };
            self.failed.get_or_insert(error);
        }
    }

    fn cell(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            let result = self.out.write_field(bytes);
            self.keep(result);
        }
    }

    /// Text from outside.
    pub(super) fn text(&mut self, text: &str) {
        match self.cells {
            TextCells::Guarded => self.cell(guarded(text).as_bytes()),
            TextCells::Raw => self.cell(text.as_bytes()),
        }
    }

    /// One of our own words, which need no guard.
    pub(super) fn word(&mut self, word: &'static str) {
        self.cell(word.as_bytes());
    }

    /// Nothing.
    pub(super) fn empty(&mut self) {
        self.cell(b"");
    }

    /// A whole number.
    pub(super) fn whole(&mut self, value: impl Into<i128>) {
        self.decimal(value.into(), 0);
    }

    /// `value` times ten to the minus `places`.
    pub(super) fn decimal(&mut self, value: i128, places: usize) {
        let mut buffer = [0; DIGITS];
        let from = decimal(&mut buffer, value, places);
        self.cell(&buffer[from..]);
    }

    /// A measured number, in as many digits as it needs to be read back exactly.
    pub(super) fn number(&mut self, value: Option<f64>) {
        match value {
            Some(value) => self.cell(value.to_string().as_bytes()),
            None => self.empty(),
        }
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
    pub(super) fn finish(self) -> io::Result<W> {
        match self.failed {
            Some(error) => Err(error),
            None => self.out.into_inner().map_err(|failed| failed.into_error()),
        }
    }
}

/// Sign, 39 digits of an `i128`, point and a zero before it.
const DIGITS: usize = 48;

/// Writes `value` times ten to the minus `places` (at most 12) at the end of
/// `buffer`; returns where it begins.
fn decimal(buffer: &mut [u8; DIGITS], value: i128, places: usize) -> usize {
    let mut at = DIGITS;
    let mut put = |byte: u8| {
        at -= 1;
        buffer[at] = byte;
    };
    let mut rest = value.unsigned_abs();
    let mut written = 0;
    while rest > 0 || written <= places {
        if written == places && places > 0 {
            put(b'.');
        }
        // Most numbers fit in a word, which divides ten times faster.
        let digit = if let Ok(word) = u64::try_from(rest) {
            rest = u128::from(word / 10);
            word % 10
        } else {
            let digit = (rest % 10) as u64;
            rest /= 10;
            digit
        };
        put(b'0' + digit as u8);
        written += 1;
    }
    if value < 0 {
        put(b'-');
    }
    at
}

/// `text` with a `'` in front of every line that a spreadsheet might take for
/// a formula, leading blanks aside.
pub(super) fn guarded(text: &str) -> Cow<'_, str> {
    let begins = |line: &str| {
        let sign = |c| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '＝' | '＋' | '－' | '＠');
        let blank = |c: char| c.is_whitespace() && !sign(c);
        line.trim_start_matches(blank).starts_with(sign)
    };
    if !text.split('\n').any(begins) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 1);
    for (row, line) in text.split('\n').enumerate() {
        if row > 0 {
            safe.push('\n');
        }
        if begins(line) {
            safe.push('\'');
        }
        safe.push_str(line);
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
            (i128::MIN, 9, "-170141183460469231731687303715.884105728"),
        ];
        for (value, places, want) in cases {
            let mut buffer = [0; DIGITS];
            let from = decimal(&mut buffer, value, places);
            assert_eq!(std::str::from_utf8(&buffer[from..]), Ok(want));
        }
    }

    #[test]
    fn formulas_become_text() {
        let cases = [
            ("=1+1", "'=1+1"),
            ("+a", "'+a"),
            ("-a", "'-a"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\rx", "'\rx"),
            ("  \u{a0}=x", "'  \u{a0}=x"),
            ("a\n=b", "a\n'=b"),
            ("＝x", "'＝x"),
            ("a=b", "a=b"),
            ("", ""),
        ];
        for (text, want) in cases {
            assert_eq!(guarded(text), want);
        }
    }

    #[test]
    fn rows_are_quoted_where_they_must() {
        let mut sheet = Sheet::new(Vec::new(), TextCells::Guarded, ["a", "b"]);
        sheet.text("x,\"y\"\nz");
        sheet.whole(-3);
        sheet.end_row();
        let out = sheet.finish().expect("memory takes everything");
        assert_eq!(String::from_utf8(out).as_deref(), Ok("a,b\n\"x,\"\"y\"\"\nz\",-3\n"));
    }

    /// Takes no byte.
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
