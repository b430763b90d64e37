//! Header comments of a log in Standard Workload Format.

use crate::problem::Problem;
use crate::workload::lines::Lines;

/// Entries in the header comments of an SWF file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SwfHeader {
    /// Every `; Key: value` in the order of the file.
    pub(super) entries: Vec<(String, String)>,
}

impl SwfHeader {
    /// The first value of `key`, whatever its case.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        let found = self.entries.iter().find(|(known, _)| known.eq_ignore_ascii_case(key));
        found.map(|(_, value)| value.as_str())
    }

    /// The first whole number in the value of `key`, such as `MaxProcs`.
    pub(super) fn number(&self, key: &str) -> Option<i64> {
        self.get(key)?.split_whitespace().next()?.parse().ok()
    }

    /// Beginning of the log in seconds since 1970 (field `UnixStartTime`), if it says.
    pub(super) fn start_unix(&self) -> Option<i64> {
        self.number("UnixStartTime").filter(|&secs| secs > 0)
    }

    /// The comments before the first record.
    pub(super) fn read(lines: &mut Lines) -> Result<Self, Problem> {
        let mut header = Self::default();
        while lines.advance()? {
            let line = lines.current().trim_ascii();
            if line.is_empty() {
                continue;
            }
            let Some(comment) = line.strip_prefix(b";") else { break };
            let comment = String::from_utf8_lossy(comment);
            if let Some((key, value)) = comment.split_once(':')
                && header.entries.len() < 1_000
            {
                header.entries.push((key.trim().to_owned(), value.trim().to_owned()));
            }
        }
        Ok(header)
    }
}
