//! Rows of delimited text, split in place (RFC 4180 quoting).

use crate::problem::{Problem, clip};

use super::filter::{Filters, RowFilter};
use super::lines::Lines;

/// Rows of delimited text. Blank lines are passed over.
pub(super) struct TextTable {
    lines: Lines,
    delimiter: u8,
    quoting: bool,
    /// Lines that begin with this are passed over.
    comment: Option<u8>,
    /// Start and end of each field, in the line or in `clean`.
    fields: Vec<(u32, u32)>,
    /// Start of each field in the line, for messages.
    places: Vec<u32>,
    /// The fields of a row with quotes, without them.
    clean: Vec<u8>,
    is_clean: bool,
    filters: Filters,
}

/// Failure of reading: one row, or the file as a whole.
#[derive(Debug)]
pub(super) enum Bad {
    /// The row may be skipped.
    Row(Problem),
    /// The file cannot be read any further.
    File(Problem),
}

impl TextTable {
    pub(super) fn new(lines: Lines, delimiter: u8, quoting: bool, comment: Option<u8>) -> Self {
        Self {
            lines,
            delimiter,
            quoting,
            comment,
            fields: Vec::new(),
            places: Vec::new(),
            clean: Vec::new(),
            is_clean: false,
            filters: Filters::default(),
        }
    }

    /// The same table without the rows that `filters` leave out.
    pub(super) fn keeping(self, filters: &[RowFilter], has_header: bool) -> Self {
        Self { filters: Filters::new(filters, has_header), ..self }
    }

    /// The same table without the rows that `filters` leave out, where there is no header, and
    /// fields have these names and places.
    ///
    /// # Errors
    /// A filter names no such field.
    pub(super) fn keeping_fields(
        self,
        filters: &[RowFilter],
        fields: &[(&str, usize)],
    ) -> Result<Self, Problem> {
        let filters = Filters::of_fields(filters, fields, self.shown())?;
        Ok(Self { filters, ..self })
    }

    /// Rows left out so far by the filters.
    pub(super) fn filtered(&self) -> u64 {
        self.filters.passed_over()
    }

    /// Moves to the next row that is wanted; `false` at the end.
    pub(super) fn advance(&mut self) -> Result<bool, Bad> {
        loop {
            if !self.advance_any()? {
                return Ok(false);
            }
            if self.filters.is_empty() {
                return Ok(true);
            }
            let mut filters = std::mem::take(&mut self.filters);
            let row: Vec<&[u8]> = (0..self.len()).map(|index| self.trimmed(index)).collect();
            let wanted = filters.admit(&row, self.shown());
            self.filters = filters;
            if wanted.map_err(Bad::File)? {
                return Ok(true);
            }
        }
    }

    /// Moves to the next row, wanted or not; `false` at the end.
    fn advance_any(&mut self) -> Result<bool, Bad> {
        loop {
            if !self.lines.advance().map_err(Bad::File)? {
                return Ok(false);
            }
            let mut line = self.lines.current();
            if line.first().is_none_or(u8::is_ascii_whitespace) {
                line = line.trim_ascii_start();
            }
            let first = line.first();
            let passed_over = first.is_none() || first == self.comment.as_ref();
            if !passed_over {
                break;
            }
        }
        self.is_clean = false;
        self.fields.clear();
        if self.delimiter == b' ' {
            self.split_blanks();
        } else if !self.split_plain() {
            self.split_quoted()?;
        }
        Ok(true)
    }

    /// Number of fields of the current row.
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// Field `index` of the current row.
    #[inline]
    pub(super) fn get(&self, index: usize) -> &[u8] {
        let (start, end) = self.fields[index];
        let text = if self.is_clean { &self.clean[..] } else { self.lines.current() };
        &text[start as usize..end as usize]
    }

    /// Field `index` without blanks around it, for numbers.
    #[inline]
    pub(super) fn trimmed(&self, index: usize) -> &[u8] {
        self.get(index).trim_ascii()
    }

    /// Number of the line on which the current row begins.
    pub(super) fn line(&self) -> u64 {
        self.lines.line()
    }

    /// Name of the file in messages.
    pub(super) fn shown(&self) -> &str {
        self.lines.shown()
    }

    /// A problem with the current row.
    pub(super) fn row_problem(&self, message: impl Into<String>) -> Problem {
        Problem::at(self.shown(), self.line(), 1, message)
    }

    /// A problem with field `index`, called `name`: "`name`: `value` reason".
    pub(super) fn problem(&self, index: usize, name: &str, reason: &str) -> Problem {
        let place = if self.is_clean { self.places[index] } else { self.fields[index].0 };
        let value = clip(&String::from_utf8_lossy(self.get(index)));
        let message = format!("{name}: `{value}` {reason}");
        Problem::at(self.shown(), self.line(), u64::from(place) + 1, message)
    }

    /// Splits at runs of blanks.
    fn split_blanks(&mut self) {
        let mut start = None;
        let line = self.lines.current();
        for (at, byte) in line.iter().enumerate() {
            match (byte.is_ascii_whitespace(), start) {
                (false, None) => start = Some(at as u32),
                (true, Some(from)) => {
                    self.fields.push((from, at as u32));
                    start = None;
                }
                _ => {}
            }
        }
        if let Some(from) = start {
            self.fields.push((from, line.len() as u32));
        }
    }

    /// Splits at delimiters; `false` where there is a quote.
    fn split_plain(&mut self) -> bool {
        let line = self.lines.current();
        let (mut start, mut quotes) = (0, 0);
        let (words, rest) = line.as_chunks::<8>();
        // Behind the end there is no delimiter.
        let mut last = [u8::from(self.delimiter == 0); 8];
        last[..rest.len()].copy_from_slice(rest);
        for (nth, word) in words.iter().chain([&last]).enumerate() {
            let word = u64::from_le_bytes(*word);
            quotes |= equal_bytes(word, b'"');
            let mut found = equal_bytes(word, self.delimiter);
            while found != 0 {
                let at = nth as u32 * 8 + found.trailing_zeros() / 8;
                self.fields.push((start, at));
                start = at + 1;
                found &= found - 1;
            }
        }
        self.fields.push((start, line.len() as u32));
        !self.quoting || quotes == 0
    }

    /// Splits a row with quoted fields, which may hold line breaks.
    fn split_quoted(&mut self) -> Result<(), Bad> {
        self.fields.clear();
        self.places.clear();
        self.clean.clear();
        self.is_clean = true;
        let mut at = 0;
        loop {
            let from = self.clean.len() as u32;
            self.places.push(at as u32);
            at = if self.lines.current().get(at) == Some(&b'"') {
                self.take_quoted(at)?
            } else {
                let rest = &self.lines.current()[at..];
                let end = rest.iter().position(|&byte| byte == self.delimiter);
                let end = end.unwrap_or(rest.len());
                self.clean.extend_from_slice(&rest[..end]);
                at + end
            };
            self.fields.push((from, self.clean.len() as u32));
            match self.lines.current().get(at) {
                None => return Ok(()),
                Some(&byte) if byte == self.delimiter => at += 1,
                Some(_) => {
                    let problem = self.row_problem("text follows a closing quote");
                    return Err(Bad::Row(Problem { column: at as u64 + 1, ..problem })
                        .hinted("a quote within quotes is written twice"));
                }
            }
        }
    }

    /// Takes the quoted field whose quote is at `open`; returns the place after it.
    fn take_quoted(&mut self, open: usize) -> Result<usize, Bad> {
        let mut at = open + 1;
        loop {
            let line = self.lines.current();
            let Some(&byte) = line.get(at) else {
                // `current` hides a carriage return before the line break, which
                // within quotes belongs to the field.
                if !self.lines.extend().map_err(Bad::File)? {
                    let mut problem = self.row_problem("a quote is never closed");
                    problem.column = open as u64 + 1;
                    return Err(Bad::File(problem));
                }
                continue;
            };
            if byte != b'"' {
                self.clean.push(byte);
                at += 1;
            } else if line.get(at + 1) == Some(&b'"') {
                self.clean.push(b'"');
                at += 2;
            } else {
                return Ok(at + 1);
            }
        }
    }
}

/// The highest bit of each byte of `word` that is `byte`. A byte is zero where
/// neither it nor its sum with 127 reaches that bit (Warren, "Hacker's Delight",
/// 2nd edition, section 6-1).
const fn equal_bytes(word: u64, byte: u8) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let zeros = word ^ (byte as u64 * 0x0101_0101_0101_0101);
    !(((zeros & LOW) + LOW) | zeros | LOW)
}

impl Bad {
    /// The same failure with a hint.
    pub(super) fn hinted(self, hint: &str) -> Self {
        match self {
            Self::Row(problem) => Self::Row(problem.hint(hint)),
            Self::File(problem) => Self::File(problem.hint(hint)),
        }
    }

    /// The problem of a row or of the file.
    pub(super) fn into_problem(self) -> Problem {
        match self {
            Self::Row(problem) | Self::File(problem) => problem,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    fn rows_of(text: &[u8]) -> Result<Vec<Vec<Vec<u8>>>, Problem> {
        let lines = Lines::new(Box::new(Cursor::new(text.to_vec())), "x")?;
        let mut table = TextTable::new(lines, b',', true, None);
        let mut rows = Vec::new();
        while table.advance().map_err(Bad::into_problem)? {
            rows.push((0..table.len()).map(|index| table.get(index).to_vec()).collect());
        }
        Ok(rows)
    }

    #[test]
    fn quotes_follow_rfc_4180() {
        let text = b"a,\"b,\"\"c\"\"\r\nd\",e\r\n,\"\",\n";
        let want: Vec<Vec<Vec<u8>>> = vec![
            vec![b"a".to_vec(), b"b,\"c\"\r\nd".to_vec(), b"e".to_vec()],
            vec![vec![], vec![], vec![]],
        ];
        assert_eq!(rows_of(text).expect("a table"), want);
        let error = rows_of(b"ab,\"c\"d\n").expect_err("text after a quote");
        assert_eq!((error.line, error.column), (1, 7));
        let error = rows_of(b"a\nb,\"c\nd").expect_err("an open quote");
        assert_eq!((error.line, error.column), (2, 3));
    }

    proptest! {
        /// Text that the csv crate writes is read back as it was.
        #[test]
        fn what_csv_writes_is_read_back(
            rows in prop::collection::vec(
                prop::collection::vec("[a-c,\"\r\n #é\u{0}]{0,8}", 2..5), 0..6)
        ) {
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).expect("written");
            }
            let text = writer.into_inner().expect("flushed");
            let want: Vec<Vec<Vec<u8>>> = rows
                .iter()
                .map(|row| row.iter().map(|field| field.as_bytes().to_vec()).collect())
                .collect();
            prop_assert_eq!(rows_of(&text).expect("a table"), want);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = rows_of(&bytes);
        }
    }
}
