//! The checkers of DMOJ that need no program. Both files are held in memory: an
//! output is no larger than its limit. What is made of it, many times as large where
//! lines are short, is made only if it has as many parts as the answer.

use assize_common::package::{DmojChecker, FloatError};

use crate::verdict::Answer;

/// What the checker says, and where the first difference is if it tells.
pub(crate) fn check(
    checker: DmojChecker,
    output: &[u8],
    answer: &[u8],
) -> (Answer, Option<String>) {
    let wrong = |at: Option<String>| (Answer::Wrong, at);
    let unless = |right: bool, problem: &str| {
        if right {
            (Answer::Accepted, None)
        } else {
            wrong(Some(problem.to_owned()))
        }
    };
    match checker {
        DmojChecker::Standard => compare_lines(output, answer, |got, expected| got == expected),
        DmojChecker::Identical { tells_presentation } => {
            if output == answer {
                return (Answer::Accepted, None);
            }
            let standard = compare_lines(output, answer, |got, expected| got == expected);
            match standard {
                (Answer::Accepted, _) if tells_presentation => (
                    Answer::Misformatted,
                    Some("only white space differs".into()),
                ),
                (Answer::Accepted, _) => wrong(Some("white space differs".into())),
                different => different,
            }
        }
        DmojChecker::Rstripped => {
            let stripped =
                |text| <[u8]>::split(text, |byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
            unless(
                stripped(output).eq(stripped(answer)),
                "the lines are not the same",
            )
        }
        DmojChecker::Easy => {
            let counts = |text: &[u8]| {
                let mut counts = [0_u64; 256];
                for byte in text.iter().filter(|byte| !is_space(**byte)) {
                    counts[usize::from(byte.to_ascii_lowercase())] += 1;
                }
                counts
            };
            unless(
                counts(output) == counts(answer),
                "the characters are not the same",
            )
        }
        DmojChecker::Unordered => {
            let sorted = |text| {
                let mut tokens: Vec<_> = tokens(text).collect();
                tokens.sort_unstable();
                tokens
            };
            unless(
                tokens(output).count() == tokens(answer).count()
                    && sorted(output) == sorted(answer),
                "the tokens are not the same",
            )
        }
        DmojChecker::SortedLines => {
            let sorted = |text| {
                let mut lines: Vec<_> = lines(text).collect();
                lines.sort_unstable_by(|one, other| tokens(one).cmp(tokens(other)));
                lines
            };
            let same = |(got, expected): (&&[u8], &&[u8])| tokens(got).eq(tokens(expected));
            unless(
                lines(output).count() == lines(answer).count()
                    && sorted(output).iter().zip(&sorted(answer)).all(same),
                "the lines are not the same",
            )
        }
        DmojChecker::Floats { tolerance, error } => {
            compare_lines(output, answer, |got, expected| match number(expected) {
                None => got == expected,
                Some(wanted) => {
                    number(got).is_some_and(|got| is_close(got, wanted, tolerance, error))
                }
            })
        }
    }
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn tokens(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| is_space(*byte))
        .filter(|token| !token.is_empty())
}

/// Lines that are not empty; both line feeds and carriage returns end them.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| matches!(byte, b'\n' | b'\r'))
        .filter(|line| !line.is_empty())
}

/// Lines with tokens, token by token.
fn compare_lines(
    output: &[u8],
    answer: &[u8],
    agree: impl Fn(&[u8], &[u8]) -> bool,
) -> (Answer, Option<String>) {
    let filled = |text| lines(text).filter(|line| tokens(line).next().is_some());
    let (mut got, mut expected) = (filled(output), filled(answer));
    for number in 1_usize.. {
        let problem = match (got.next(), expected.next()) {
            (None, None) => return (Answer::Accepted, None),
            (None, Some(line)) => format!("the output ends, expected {}", excerpt(line)),
            (Some(line), None) => {
                format!("expected the end of the output, got {}", excerpt(line))
            }
            (Some(got), Some(expected)) => {
                let (mut ours, mut theirs) = (tokens(got), tokens(expected));
                let same = loop {
                    match (ours.next(), theirs.next()) {
                        (None, None) => break true,
                        (Some(got), Some(expected)) if agree(got, expected) => {}
                        _ => break false,
                    }
                };
                if same {
                    continue;
                }
                format!("expected {}, got {}", excerpt(expected), excerpt(got))
            }
        };
        return (
            Answer::Wrong,
            Some(format!("line {number} (of those with text): {problem}")),
        );
    }
    (Answer::Accepted, None)
}

/// A number as Python's `float` reads it.
fn number(token: &[u8]) -> Option<f64> {
    let text = str::from_utf8(token).ok()?;
    let plain: String = text.replace('_', "");
    let fits = !text.starts_with('_') && !text.ends_with('_') && !text.contains("__");
    plain.parse().ok().filter(|_| fits)
}

/// What is not a number is close to nothing, and infinity to itself only by the
/// relative error, as where this comes from.
fn is_close(got: f64, wanted: f64, tolerance: f64, error: FloatError) -> bool {
    let absolute = (got - wanted).abs() <= tolerance;
    match error {
        FloatError::Absolute => absolute,
        FloatError::Relative => {
            let bounds = [wanted * (1.0 - tolerance), wanted * (1.0 + tolerance)];
            bounds[0].min(bounds[1]) <= got && got <= bounds[0].max(bounds[1])
        }
        FloatError::Either => {
            absolute || (wanted.abs() >= tolerance && (1.0 - got / wanted).abs() <= tolerance)
        }
    }
}

fn excerpt(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let text = text.trim();
    let shown: String = text.chars().take(60).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    format!("{shown:?}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use Answer::{Accepted, Misformatted, Wrong};

    fn answer(checker: DmojChecker, output: &str, answer: &str) -> Answer {
        check(checker, output.as_bytes(), answer.as_bytes()).0
    }

    #[test]
    fn standard_wants_the_same_tokens_on_the_same_lines() {
        let standard = |output, expected| answer(DmojChecker::Standard, output, expected);
        assert_eq!(standard(" 1  2\r\n\n3", "1 2\n3\n"), Accepted);
        assert_eq!(standard("1\n2\n3\n", "1 2\n3\n"), Wrong);
        assert_eq!(standard("1 2 3\n", "1 2\n3\n"), Wrong);
        assert_eq!(standard("1 2\n", "1 2\n3\n"), Wrong);
        assert_eq!(standard("a", "A"), Wrong);
        assert_eq!(standard("", "\n \n"), Accepted);
        let (_, problem) = check(DmojChecker::Standard, b"1\n\n4\n", b"1\n2\n");
        assert_eq!(
            problem.unwrap(),
            "line 2 (of those with text): expected \"2\", got \"4\""
        );
    }

    #[test]
    fn identical_may_tell_presentation() {
        let strict = DmojChecker::Identical {
            tells_presentation: false,
        };
        let telling = DmojChecker::Identical {
            tells_presentation: true,
        };
        assert_eq!(answer(strict, "1 2\n", "1 2\n"), Accepted);
        assert_eq!(answer(strict, "1 2", "1 2\n"), Wrong);
        assert_eq!(answer(telling, "1 2", "1 2\n"), Misformatted);
        assert_eq!(answer(telling, "1 3", "1 2\n"), Wrong);
    }

    #[test]
    fn order_and_case_where_they_do_not_count() {
        assert_eq!(answer(DmojChecker::Unordered, "3 1\n2", "1 2 3"), Accepted);
        assert_eq!(answer(DmojChecker::Unordered, "3 1 1", "1 3"), Wrong);
        assert_eq!(
            answer(DmojChecker::SortedLines, "b  c\na\n", "a\nb c\n"),
            Accepted
        );
        assert_eq!(
            answer(DmojChecker::SortedLines, "c b\na\n", "a\nb c\n"),
            Wrong
        );
        assert_eq!(
            answer(DmojChecker::SortedLines, "a\nb c\na\n", "a\nb c\n"),
            Wrong
        );
        assert_eq!(answer(DmojChecker::Easy, "B a", "aB"), Accepted);
        assert_eq!(answer(DmojChecker::Easy, "bA", "a B"), Accepted);
        assert_eq!(answer(DmojChecker::Easy, "aa", "a"), Wrong);
        assert_eq!(
            answer(DmojChecker::Rstripped, "a  \nb\n", "a\nb\n"),
            Accepted
        );
        assert_eq!(answer(DmojChecker::Rstripped, " a\nb\n", "a\nb\n"), Wrong);
        assert_eq!(answer(DmojChecker::Rstripped, "a\n\nb\n", "a\nb\n"), Wrong);
    }

    #[test]
    fn numbers_may_differ_a_little() {
        let floats = |error, output, expected| {
            let tolerance = 1e-3;
            answer(DmojChecker::Floats { tolerance, error }, output, expected)
        };
        use FloatError::{Absolute, Either, Relative};
        assert_eq!(floats(Either, "x 1000.5", "x 1000"), Accepted);
        assert_eq!(floats(Absolute, "x 1000.5", "x 1000"), Wrong);
        assert_eq!(floats(Absolute, "0.0005", "0"), Accepted);
        assert_eq!(floats(Relative, "0.0005", "0"), Wrong);
        assert_eq!(floats(Relative, "-1000.5", "-1000"), Accepted);
        assert_eq!(floats(Either, "nan", "nan"), Wrong);
        assert_eq!(floats(Either, "X 1", "x 1"), Wrong);
        assert_eq!(floats(Either, "1e0", "1"), Accepted);
        assert_eq!(floats(Either, "one", "1"), Wrong);
    }
}
