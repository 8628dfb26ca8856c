//! What submission and validator said to each other, as people read it.

use assize_common::message::{Remark, RunReport, Transcript};

/// Of a longer line, this much is shown.
const LINE: usize = 160;

/// The transcripts of a run, a line of text for each line that was said; of each at
/// most so many from the start and from the end.
pub(crate) fn lines(run: &RunReport, most: usize) -> Vec<String> {
    let several = run.transcripts.len() > 1 || run.transcripts.iter().any(|it| it.pass > 1);
    let passes = run.transcripts.iter().flat_map(|transcript| {
        let title = several.then(|| format!("pass {}", transcript.pass));
        title.into_iter().chain(of_pass(transcript, most))
    });
    passes.collect()
}

fn of_pass(transcript: &Transcript, most: usize) -> Vec<String> {
    let last = transcript.start.iter().chain(&transcript.end).last();
    let width = last.map_or(1, |remark| remark.at_ms.to_string().len());
    let said = |remarks: &[Remark]| -> Vec<String> {
        let lines = remarks.iter().flat_map(|remark| said_by(remark, width));
        lines.collect()
    };
    let left_out = |what: String| format!("{:width$}     … {what} left out", "");
    let (mut lines, end) = (said(&transcript.start), said(&transcript.end));
    if transcript.left_out_bytes > 0 {
        lines.push(left_out(format!("{} bytes", transcript.left_out_bytes)));
    }
    lines.extend(end);
    if lines.len().saturating_sub(most) > most {
        let middle = most..lines.len() - most;
        let what = format!("{} lines", middle.len());
        lines.splice(middle, [left_out(what)]);
    }
    lines
}

/// `12 ms   validator> 100`, for each line of a remark.
fn said_by(remark: &Remark, width: usize) -> impl Iterator<Item = String> {
    let bytes = remark.words.as_bytes();
    let whole = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    whole.split(|byte| *byte == b'\n').map(move |line| {
        let (at, by) = (remark.at_ms, remark.by);
        format!("{at:width$} ms  {by:>10}> {}", shown(line))
    })
}

/// A line that leaves a terminal as it is.
fn shown(line: &[u8]) -> String {
    let (start, more) = match line.get(..LINE) {
        Some(start) if line.len() > LINE => (start, format!(" … ({} bytes)", line.len())),
        _ => (line, String::new()),
    };
    let mut text = String::new();
    for chunk in start.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() {
                text.extend(character.escape_default());
            } else {
                text.push(character);
            }
        }
        text.extend(chunk.invalid().escape_ascii().map(char::from));
    }
    text + &more
}

#[cfg(test)]
mod tests {
    use assize_common::message::Speaker::{self, Submission, Validator};

    use super::*;

    fn remark(at_ms: u64, by: Speaker, words: &[u8]) -> Remark {
        Remark {
            at_ms,
            by,
            words: words.to_vec().into(),
        }
    }

    #[test]
    fn who_says_what_is_aligned_and_safe_to_print() {
        let transcript = Transcript {
            pass: 1,
            start: vec![
                remark(9, Validator, b"2\n1 2\n"),
                remark(12, Submission, b"? \x1b[2J\xff\xc3\xbc"),
            ],
            left_out_bytes: 7,
            end: vec![remark(104, Validator, b"\n")],
        };
        assert_eq!(
            of_pass(&transcript, 10),
            [
                "  9 ms   validator> 2",
                "  9 ms   validator> 1 2",
                " 12 ms  submission> ? \\u{1b}[2J\\xffü",
                "        … 7 bytes left out",
                "104 ms   validator> ",
            ]
        );
    }

    #[test]
    fn of_many_lines_the_first_and_the_last_are_shown() {
        let many: String = (0..100).map(|number| format!("{number}\n")).collect();
        let transcript = Transcript {
            pass: 2,
            start: vec![remark(5, Submission, many.as_bytes())],
            left_out_bytes: 0,
            end: Vec::new(),
        };
        assert_eq!(
            of_pass(&transcript, 2),
            [
                "5 ms  submission> 0",
                "5 ms  submission> 1",
                "      … 96 lines left out",
                "5 ms  submission> 98",
                "5 ms  submission> 99",
            ]
        );
    }

    #[test]
    fn long_lines_are_cut() {
        let line = shown(&[b'x'; LINE + 1]);
        assert_eq!(line, format!("{} … (161 bytes)", "x".repeat(LINE)));
    }
}
