//! A conversation on file: played back, the other side says what it said then,
//! as long as we say what we said then.

use std::collections::VecDeque;

use super::conversation::{BrokenConversation, Conversation, Launcher};
use crate::policy::spec::External;
use crate::problem::{Problem, clip};

/// Between the name of the part and a line to the policy.
pub const TO: &str = " > ";
/// Between the name of the part and a line from the policy.
pub const FROM: &str = " < ";

/// A recorded exchange: lines `PART > what was sent` and `PART < the answer`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Part, number of the line, what was sent and what came back.
    rows: Vec<(String, u64, String, String)>,
}

/// The rows of one part that are still to come.
#[derive(Debug)]
struct Playing(VecDeque<(u64, String, String)>);

impl Recorded {
    /// Reads the text of a record; problems name it `path`.
    ///
    /// # Errors
    /// A line is neither sent nor received, or has no answer.
    pub fn parse(text: &str, path: &str) -> Result<Self, Problem> {
        let mut rows: Vec<(String, u64, String, String)> = Vec::new();
        for (line, number) in text.lines().zip(1..) {
            let marks = [line.find(TO), line.find(FROM)];
            let last = rows.last_mut();
            let read = match marks {
                [Some(to), from] if from.is_none_or(|from| to < from) => {
                    let (part, sent) = (&line[..to], &line[to + TO.len()..]);
                    rows.push((part.to_owned(), number, sent.to_owned(), String::new()));
                    true
                }
                [_, Some(from)] => last.is_some_and(|(part, _, _, answer)| {
                    let fits = *part == line[..from] && answer.is_empty();
                    line[from + FROM.len()..].clone_into(answer);
                    fits
                }),
                _ => false,
            };
            if !read {
                let message = format!("`{}` is no line of an exchange", clip(line));
                let hint = "record it with `windtunnel run --record-exchange FILE`";
                return Err(Problem::at(path, number, 1, message).hint(hint));
            }
        }
        Ok(Self { rows })
    }
}

impl Launcher for Recorded {
    fn launch(
        &self,
        _who: &External,
        part: &str,
    ) -> Result<Box<dyn Conversation>, BrokenConversation> {
        let rows = self.rows.iter().filter(|row| row.0 == part);
        let rows = rows.map(|(_, number, sent, answer)| (*number, sent.clone(), answer.clone()));
        Ok(Box::new(Playing(rows.collect())))
    }
}

impl Conversation for Playing {
    fn exchange(&mut self, line: &str) -> Result<String, BrokenConversation> {
        let hint = "record the exchange again";
        match self.0.pop_front() {
            None => Err(BrokenConversation::new("was asked more than the record has", hint)),
            Some((_, sent, answer)) if sent == line => Ok(answer),
            Some((number, sent, _)) => {
                let same = sent.bytes().zip(line.bytes()).take_while(|(a, b)| a == b).count();
                let tail = |text: &str| clip(&text.chars().skip(same).collect::<String>());
                let what = format!(
                    "is asked something else than in line {number} of the record, from column {}: \
                     `{}`, recorded `{}`",
                    same + 1,
                    tail(line),
                    tail(&sent)
                );
                Err(BrokenConversation::new(what, hint))
            }
        }
    }
}
