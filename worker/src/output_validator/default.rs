//! The default output validator, as the package format specifies it.
//!
//! Streams both files in bounded memory. As outputs are mostly right, most of the
//! work is to skip what is byte for byte the same: such stretches are equal under
//! every option.

mod difference;
mod number;
#[cfg(test)]
mod tests;

use std::io::{self, Read};

use assize_common::package::DefaultValidatorOptions;

use super::scanner::{Scanner, count_lines, is_space};
pub(crate) use difference::Difference;
use difference::{Problem, excerpt};

/// Bytes of each file held in memory.
const CAPACITY: usize = 128 << 10;
/// A longer token is not taken for a number, nor is an answer too large for an
/// `f64`: those are compared as text. The format asks for 61 digits.
const LONGEST_NUMBER: usize = 4096;
/// Compares an output with the answer: nothing if it is right.
pub(crate) fn compare(
    output: impl Read,
    answer: impl Read,
    options: DefaultValidatorOptions,
) -> io::Result<Option<Difference>> {
    Comparison {
        output: Scanner::new(output, CAPACITY),
        answer: Scanner::new(answer, CAPACITY),
        options,
        longest_number: LONGEST_NUMBER,
    }
    .run()
}

struct Comparison<O, A> {
    output: Scanner<O>,
    answer: Scanner<A>,
    options: DefaultValidatorOptions,
    longest_number: usize,
}

impl<O: Read, A: Read> Comparison<O, A> {
    fn run(mut self) -> io::Result<Option<Difference>> {
        loop {
            self.skip_common()?;
            if self.options.space_change_sensitive {
                if !self.spaces_agree()? {
                    return Ok(Some(self.difference(Problem::Space)));
                }
            } else {
                self.output.skip_spaces()?;
                self.answer.skip_spaces()?;
            }
            // One more than a number may have, to see whether it ends there.
            self.output.ensure(self.longest_number + 1)?;
            self.answer.ensure(self.longest_number + 1)?;
            let problem = match (
                self.output.window().is_empty(),
                self.answer.window().is_empty(),
            ) {
                (true, true) => return Ok(None),
                (true, false) => Some(Problem::Missing {
                    expected: excerpt(self.answer.token().0),
                }),
                (false, true) => Some(Problem::Surplus {
                    got: excerpt(self.output.token().0),
                }),
                (false, false) => self.tokens_differ()?,
            };
            if let Some(problem) = problem {
                return Ok(Some(self.difference(problem)));
            }
        }
    }

    fn difference(&self, problem: Problem) -> Difference {
        Difference {
            line: self.output.line,
            offset: self.output.offset,
            problem,
        }
    }

    /// Skips identical bytes up to the end of a stretch of white space, so that
    /// both files are again between tokens.
    fn skip_common(&mut self) -> io::Result<()> {
        loop {
            self.output.ensure(1)?;
            self.answer.ensure(1)?;
            let (output, answer) = (self.output.window(), self.answer.window());
            let common = common_prefix(output, answer);
            let Some(last_space) = output[..common].iter().rposition(|byte| is_space(*byte)) else {
                return Ok(());
            };
            let skipped = last_space + 1;
            let difference_ahead = common < output.len().min(answer.len());
            let lines = count_lines(&output[..skipped]);
            self.output.advance(skipped, lines);
            self.answer.advance(skipped, lines);
            if difference_ahead {
                return Ok(());
            }
        }
    }

    /// Compares the white space before the next token byte for byte.
    fn spaces_agree(&mut self) -> io::Result<bool> {
        loop {
            self.output.ensure(1)?;
            self.answer.ensure(1)?;
            let (output, answer) = (self.output.window().first(), self.answer.window().first());
            match (
                output.copied().filter(|byte| is_space(*byte)),
                answer.copied().filter(|byte| is_space(*byte)),
            ) {
                (None, None) => return Ok(true),
                (Some(a), Some(b)) if a == b => {
                    let line = u64::from(a == b'\n');
                    self.output.advance(1, line);
                    self.answer.advance(1, line);
                }
                _ => return Ok(false),
            }
        }
    }

    /// Compares the next tokens, both there, and goes past them if they agree.
    fn tokens_differ(&mut self) -> io::Result<Option<Problem>> {
        let (got, got_ends) = self.output.token();
        let (expected, expected_ends) = self.answer.token();
        if self.options.compares_numbers()
            && expected_ends
            && expected.len() <= self.longest_number
            && let Some(wanted) = self.number(expected).filter(|wanted| wanted.is_finite())
        {
            let number = if got_ends && got.len() <= self.longest_number {
                self.number(got)
            } else {
                None
            };
            let (expected_text, got_text) = (|| excerpt(expected), || excerpt(got));
            return Ok(match number {
                None => Some(Problem::NotANumber {
                    expected: expected_text(),
                    got: got_text(),
                }),
                Some(number) if !self.is_close(number, wanted) => Some(Problem::Inexact {
                    expected: expected_text(),
                    got: got_text(),
                    error: (number - wanted).abs(),
                }),
                Some(_) => {
                    let (got, expected) = (got.len(), expected.len());
                    self.output.advance(got, 0);
                    self.answer.advance(expected, 0);
                    None
                }
            });
        }
        if self.options.compares_numbers()
            && self.options.ieee_numbers
            && expected_ends
            && let Some(wanted) = number::infinity(expected)
        {
            if got_ends && number::infinity(got) == Some(wanted) {
                let (got, expected) = (got.len(), expected.len());
                self.output.advance(got, 0);
                self.answer.advance(expected, 0);
                return Ok(None);
            }
            return Ok(Some(Problem::Token {
                expected: excerpt(expected),
                got: excerpt(got),
            }));
        }
        self.texts_differ()
    }

    /// The number that a whole token stands for.
    fn number(&self, token: &[u8]) -> Option<f64> {
        let ieee = || number::hexadecimal(token).filter(|_| self.options.ieee_numbers);
        number::decimal(token).or_else(ieee)
    }

    fn is_close(&self, number: f64, wanted: f64) -> bool {
        let error = (number - wanted).abs();
        let options = self.options;
        // A bound may overflow; an error that does is beyond every bound.
        error.is_finite()
            && (options
                .absolute_tolerance
                .is_some_and(|tolerance| error <= tolerance)
                || options
                    .relative_tolerance
                    .is_some_and(|tolerance| error <= tolerance * wanted.abs()))
    }

    /// Compares tokens of any length as text, piece by piece.
    fn texts_differ(&mut self) -> io::Result<Option<Problem>> {
        // How the tokens begin, once their beginning has left the window.
        let mut beginning = None;
        loop {
            let (got, got_ends) = self.output.token();
            let (expected, expected_ends) = self.answer.token();
            let length = got.len().min(expected.len());
            let same = if self.options.case_sensitive {
                got[..length] == expected[..length]
            } else {
                got[..length].eq_ignore_ascii_case(&expected[..length])
            };
            let ends = (
                got_ends && got.len() == length,
                expected_ends && expected.len() == length,
            );
            let tokens = || Problem::Token {
                expected: excerpt(expected),
                got: excerpt(got),
            };
            if !same {
                return Ok(Some(beginning.unwrap_or_else(tokens)));
            }
            match ends {
                (true, true) => {
                    self.output.advance(length, 0);
                    self.answer.advance(length, 0);
                    return Ok(None);
                }
                (true, false) if expected.len() > length => {
                    return Ok(Some(beginning.unwrap_or_else(tokens)));
                }
                (false, true) if got.len() > length => {
                    return Ok(Some(beginning.unwrap_or_else(tokens)));
                }
                // A token that reaches the end of its window may end there or go on.
                _ => {
                    beginning.get_or_insert_with(tokens);
                    self.output.advance(length, 0);
                    self.answer.advance(length, 0);
                    self.output.ensure(1)?;
                    self.answer.ensure(1)?;
                }
            }
        }
    }
}

fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    const BLOCK: usize = 256;
    let length = a.len().min(b.len());
    let mut at = 0;
    while at + BLOCK <= length && a[at..at + BLOCK] == b[at..at + BLOCK] {
        at += BLOCK;
    }
    at + a[at..length]
        .iter()
        .zip(&b[at..length])
        .take_while(|(a, b)| a == b)
        .count()
}
