//! The default validator against the specification, and its words.

use std::io;
use std::io::Read;

use assize_common::package::DefaultValidatorOptions;
use proptest::prelude::*;

use super::super::scanner::{Scanner, is_space};
use super::number::{decimal, hexadecimal};
use super::{Comparison, compare};

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
        assert!(decimal(number.as_bytes()).is_some(), "{number}");
    }
    for other in [
        "", "+", ".", "e5", "1e", "1e+", "1.2.3", "0x10", "nan", "inf", "--1", "1_0", "1e5.0",
        "1,5",
    ] {
        assert!(decimal(other.as_bytes()).is_none(), "{other}");
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
}

#[test]
fn legacy_has_the_other_numbers_of_ieee_754() {
    for (text, value) in [
        ("0x1p0", 1.0),
        ("-0X1.8p+1", -3.0),
        ("0xff.8p-4", 15.96875),
        ("0x.8P1", 1.0),
        ("0x1.p-1074", 5e-324),
    ] {
        assert_eq!(hexadecimal(text.as_bytes()), Some(value), "{text}");
    }
    for other in [
        "0x10",
        "0xp1",
        "0x.p1",
        "0x1p",
        "0x1p+",
        "0x1.1.1p1",
        "0xgp1",
        "1p1",
        "0x1p1.5",
    ] {
        assert_eq!(hexadecimal(other.as_bytes()), None, "{other}");
    }
    let args = &["float_tolerance", "1e9"];
    let legacy = DefaultValidatorOptions {
        ieee_numbers: true,
        ..options(args)
    };
    let is_right = |output: &str, answer: &str, options| {
        let difference = compare(output.as_bytes(), answer.as_bytes(), options);
        difference.unwrap().is_none()
    };
    for (output, answer, in_legacy, since) in [
        ("0x1p0", "1", true, false),
        ("2", "0x1p0", true, false),
        ("+Infinity x", "inf x", true, false),
        ("inf", "inf", true, true),
        ("-inf", "inf", false, false),
        ("inf", "1", false, false),
        ("1e400", "inf", false, false),
        ("1", "inf", false, false),
        ("nan", "1", false, false),
        ("nan", "NaN", true, true),
        ("-nan", "nan", false, false),
        ("0x10", "16", false, false),
    ] {
        assert_eq!(
            is_right(output, answer, legacy),
            in_legacy,
            "{output} for {answer}"
        );
        assert_eq!(
            is_right(output, answer, options(args)),
            since,
            "{output} for {answer}"
        );
    }
    let exact = DefaultValidatorOptions {
        ieee_numbers: true,
        ..options(&[])
    };
    assert!(
        !is_right("infinity", "inf", exact),
        "without a tolerance numbers are text"
    );
}

#[test]
fn an_answer_beyond_all_numbers_is_text() {
    let digits = "9".repeat(310);
    for tolerance in ["0", "1e-6", "1e300"] {
        let args = &["float_tolerance", tolerance];
        for answer in ["1e400", "-1e400", &digits] {
            assert!(accepted(answer, answer, args), "{answer}");
            for output in ["5", "-5", "2e400", "1e308", "nan"] {
                assert!(!accepted(output, answer, args), "{output} for {answer}");
            }
        }
        // An error or a bound that overflows is no reason to accept.
        assert!(!accepted("1e400", "1e308", args), "{tolerance}");
        assert!(!accepted("-1.7e308", "1.7e308", args), "{tolerance}");
    }
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
    let number = |token: &[u8]| {
        decimal(token).filter(|number| token.len() <= longest_number && number.is_finite())
    };
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
        "[1-9]e(1|400|5000)",
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
