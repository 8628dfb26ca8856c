//! The default output validator, as the package format specifies it.
//!
//! Streams both files in bounded memory. As outputs are mostly right, most of the
//! work is to skip what is byte for byte the same: such stretches are equal under
//! every option.

use std::fmt;
use std::io::{self, Read};

use assize_common::package::DefaultValidatorOptions;

use super::scanner::{Scanner, count_lines, is_space};

/// Bytes of each file held in memory.
const CAPACITY: usize = 128 << 10;
/// A longer token is not taken for a number. The format asks for 61 digits.
const LONGEST_NUMBER: usize = 4096;
/// Bytes of a token shown in a message.
const EXCERPT: usize = 60;

/// The first place where an output is wrong.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Difference {
    line: u64,
    offset: u64,
    problem: Problem,
}

#[derive(Debug, Clone, PartialEq)]
enum Problem {
    Token {
        expected: String,
        got: String,
    },
    NotANumber {
        expected: String,
        got: String,
    },
    Inexact {
        expected: String,
        got: String,
        error: f64,
    },
    Space,
    Missing {
        expected: String,
    },
    Surplus {
        got: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {} (byte {}) of the output: ",
            self.line, self.offset
        )?;
        match &self.problem {
            Problem::Token { expected, got } => write!(f, "expected {expected}, got {got}"),
            Problem::NotANumber { expected, got } => {
                write!(f, "expected a number near {expected}, got {got}")
            }
            Problem::Inexact {
                expected,
                got,
                error,
            } => {
                write!(
                    f,
                    "expected a number near {expected}, got {got}, which is off by {error:.3e}"
                )
            }
            Problem::Space => write!(f, "different white space"),
            Problem::Missing { expected } => write!(f, "the output ends, expected {expected}"),
            Problem::Surplus { got } => write!(f, "expected the end of the output, got {got}"),
        }
    }
}

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
            && let Some(wanted) = parse_number(expected)
        {
            let number = if got_ends && got.len() <= self.longest_number {
                parse_number(got)
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
        self.texts_differ()
    }

    fn is_close(&self, number: f64, wanted: f64) -> bool {
        let error = (number - wanted).abs();
        // Infinities are equal only to themselves.
        number.to_bits() == wanted.to_bits()
            || self
                .options
                .absolute_tolerance
                .is_some_and(|tolerance| error <= tolerance)
            || self
                .options
                .relative_tolerance
                .is_some_and(|tolerance| error <= tolerance * wanted.abs())
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

/// A sign, digits with at most one point among them, an exponent: nothing else,
/// so neither `inf` nor `nan` nor hexadecimal.
fn parse_number(token: &[u8]) -> Option<f64> {
    let rest = token
        .strip_prefix(b"+")
        .or_else(|| token.strip_prefix(b"-"))
        .unwrap_or(token);
    let is_number = match rest.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        None => is_significand(rest),
        Some(at) => {
            let exponent = &rest[at + 1..];
            let digits = exponent
                .strip_prefix(b"+")
                .or_else(|| exponent.strip_prefix(b"-"))
                .unwrap_or(exponent);
            is_significand(&rest[..at])
                && !digits.is_empty()
                && digits.iter().all(u8::is_ascii_digit)
        }
    };
    if !is_number {
        return None;
    }
    str::from_utf8(token).ok()?.parse().ok()
}

fn is_significand(bytes: &[u8]) -> bool {
    let points = bytes.iter().filter(|byte| **byte == b'.').count();
    points <= 1
        && bytes.len() > points
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_digit() || *byte == b'.')
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

fn excerpt(token: &[u8]) -> String {
    let shown = &token[..token.len().min(EXCERPT)];
    let more = if token.len() > EXCERPT { "…" } else { "" };
    format!("\"{}{more}\"", shown.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn options(args: &[&str]) -> DefaultValidatorOptions {
        DefaultValidatorOptions::parse(args).unwrap()
    }

    fn message(output: &str, answer: &str, args: &[&str]) -> Option<String> {
        compare(output.as_bytes(), answer.as_bytes(), options(args))
            .unwrap()
            .map(|difference| difference.to_string())
    }

    fn accepted(output: &str, answer: &str, args: &[&str]) -> bool {
        message(output, answer, args).is_none()
    }

    #[test]
    fn tokens_and_space() {
        assert!(accepted("  1\t2\r\n\x0b3", "1 2\n3\n", &[]));
        assert!(accepted("", " \n", &[]));
        assert!(!accepted("12", "1 2", &[]));
        assert!(!accepted("1 2", "12", &[]));
        assert!(accepted("Yes", "YES", &[]));
        assert!(!accepted("Yes", "YES", &["case_sensitive"]));
        assert!(!accepted("É", "é", &[]), "only ASCII letters have cases");
        assert!(
            !accepted("1.0", "1", &[]),
            "without a tolerance numbers are text"
        );
    }

    #[test]
    fn space_change_sensitive() {
        let sensitive = &["space_change_sensitive"];
        assert!(accepted(" a  b\n", " a  b\n", sensitive));
        for other in [
            "a  b\n",
            " a b\n",
            " a  b",
            " a  b\n\n",
            " a\t b\n",
            " a  b \n",
        ] {
            assert!(!accepted(other, " a  b\n", sensitive), "{other:?}");
        }
        assert!(accepted(" A  b\n", " a  b\n", sensitive));
    }

    #[test]
    fn tolerances() {
        let absolute = &["float_absolute_tolerance", "0.5"];
        assert!(accepted("1.5", "1", absolute));
        assert!(accepted("100.5", "100", absolute));
        assert!(!accepted("1.5000001", "1", absolute));
        let relative = &["float_relative_tolerance", "0.5"];
        assert!(accepted("150", "100", relative));
        assert!(accepted("-50", "-100", relative));
        assert!(!accepted("0.1", "0", relative));
        let either = &["float_tolerance", "1e-6"];
        assert!(accepted("3.14000000e-2", "0.0314", either));
        assert!(accepted("1000000.9", "1000000", either));
        assert!(accepted("+.5 5. 1E3 -0", "0.5 5 1000 0", either));
        assert!(
            accepted("word 2.0", "WORD 2", either),
            "other tokens are text"
        );
        assert!(!accepted("x", "1", either));
    }

    #[test]
    fn numbers_are_what_the_format_says() {
        for number in [
            "1", "-1", "+1", "1.", ".1", "1.5", "1e5", "1.e-5", "1E+05", "000",
        ] {
            assert!(parse_number(number.as_bytes()).is_some(), "{number}");
        }
        for other in [
            "", "+", ".", "e5", "1e", "1e+", "1.2.3", "0x10", "nan", "inf", "--1", "1_0", "1e5.0",
            "1,5",
        ] {
            assert!(parse_number(other.as_bytes()).is_none(), "{other}");
        }
        let tolerance = &["float_tolerance", "1e9"];
        for (output, answer) in [
            ("nan", "1"),
            ("inf", "1"),
            ("0x1", "1"),
            ("1", "nan"),
            ("1e999", "1"),
        ] {
            assert!(
                !accepted(output, answer, tolerance),
                "{output} for {answer}"
            );
        }
        assert!(
            accepted("1e999", "2e999", &["float_tolerance", "0"]),
            "both are the same infinity"
        );
    }

    #[test]
    fn thirty_digits_are_numbers_and_a_megabyte_is_text() {
        let digits = "1234567890".repeat(3);
        assert!(accepted(
            &format!("{digits}.{digits}"),
            &format!("{digits}.{digits}1"),
            &["float_tolerance", "0"]
        ));
        let long = "1".repeat(1 << 20);
        assert!(accepted(&long.clone(), &long, &["float_tolerance", "1"]));
        assert!(!accepted(
            &format!("{long}2"),
            &format!("{long}1"),
            &["float_tolerance", "1"]
        ));
        assert!(!accepted(&long, "1", &["float_tolerance", "1e300"]));
    }

    #[test]
    fn the_first_difference_is_described() {
        let message_of =
            |output, answer| message(output, answer, &["float_absolute_tolerance", "1"]).unwrap();
        assert_eq!(
            message_of("a\nb c\n", "a\nb d\n"),
            "line 2 (byte 4) of the output: expected \"d\", got \"c\""
        );
        assert!(message_of("a", "a b").ends_with("the output ends, expected \"b\""));
        assert!(message_of("a b", "a").ends_with("expected the end of the output, got \"b\""));
        assert!(
            message_of("3", "1")
                .ends_with("expected a number near \"1\", got \"3\", which is off by 2.000e0")
        );
        assert!(message_of("\u{1}", "x").contains("\\x01"));
        let long = message_of(&"x".repeat(1000), "y");
        assert!(long.len() < 200 && long.contains('…'), "{long}");
    }

    /// The specification, in as few words as possible.
    fn reference(
        output: &[u8],
        answer: &[u8],
        options: DefaultValidatorOptions,
        longest_number: usize,
    ) -> bool {
        let tokens = |bytes: &[u8]| -> Vec<Vec<u8>> {
            let parts = bytes
                .split(|byte| is_space(*byte))
                .filter(|token| !token.is_empty());
            parts.map(<[u8]>::to_vec).collect()
        };
        let spaces = |bytes: &[u8]| -> Vec<Vec<u8>> {
            bytes
                .split(|byte| !is_space(*byte))
                .map(<[u8]>::to_vec)
                .filter(|run| !run.is_empty())
                .collect()
        };
        let number = |token: &[u8]| parse_number(token).filter(|_| token.len() <= longest_number);
        let (got, expected) = (tokens(output), tokens(answer));
        let same = |got: &Vec<u8>, expected: &Vec<u8>| match number(expected) {
            Some(wanted) if options.compares_numbers() => number(got).is_some_and(|number| {
                let error = (number - wanted).abs();
                options
                    .absolute_tolerance
                    .is_some_and(|tolerance| error <= tolerance)
                    || options
                        .relative_tolerance
                        .is_some_and(|tolerance| error <= tolerance * wanted.abs())
            }),
            _ if options.case_sensitive => got == expected,
            _ => got.eq_ignore_ascii_case(expected),
        };
        let shape = |bytes: &[u8]| {
            (
                bytes.first().is_some_and(|byte| is_space(*byte)),
                spaces(bytes),
            )
        };
        got.len() == expected.len()
            && got
                .iter()
                .zip(&expected)
                .all(|(got, expected)| same(got, expected))
            && (!options.space_change_sensitive || shape(output) == shape(answer))
    }

    /// Reads in pieces of a few bytes, as pipes do.
    struct Slowly<'a>(&'a [u8]);

    impl Read for Slowly<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = buffer.len().min(7);
            self.0.read(&mut buffer[..length])
        }
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        let token = prop_oneof![
            "[aAbB]{1,3}",
            "[+-]?[0-9]{1,3}(\\.[0-9]{0,2})?",
            "[0-9]{20,60}",
            "a{30,50}"
        ];
        let part = (token, "[ \n\r\t]{1,3}").prop_map(|(token, space)| token + &space);
        prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat().into_bytes())
    }

    proptest! {
        #[test]
        fn agrees_with_the_specification(
            answer in text(),
            other in text(),
            edits in prop::collection::vec((any::<prop::sample::Index>(), "[ \\nA1.]?"), 0..3),
            args in prop::sample::select(vec![
                vec![],
                vec!["case_sensitive"],
                vec!["space_change_sensitive"],
                vec!["float_tolerance", "0.1"],
                vec!["float_relative_tolerance", "0.5", "space_change_sensitive", "case_sensitive"],
            ]),
            unrelated in prop::bool::weighted(0.1),
        ) {
            let mut output = if unrelated { other } else { answer.clone() };
            for (at, replacement) in edits {
                if !output.is_empty() {
                    let at = at.index(output.len());
                    output.splice(at..=at, replacement.bytes());
                }
            }
            let options = options(&args);
            // Windows so small that tokens and stretches of space cross their ends.
            let comparison = Comparison {
                output: Scanner::new(Slowly(&output), 48),
                answer: Scanner::new(Slowly(&answer), 40),
                options,
                longest_number: 25,
            };
            let accepted = comparison.run().unwrap().is_none();
            prop_assert_eq!(accepted, reference(&output, &answer, options, 25));
        }
    }
}
