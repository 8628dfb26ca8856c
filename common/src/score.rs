//! Scores: exact while they are added up, decimal when shown.

use std::cmp::Ordering;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Div, Mul, Sub};
use std::str::FromStr;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed as _, Zero as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

/// Points, as an exact fraction: three thirds of 100 points are 100 points.
///
/// Text and JSON hold a decimal number with at most [`Score::DECIMALS`] places, in
/// JSON as a string; only [`Score::rounded`] scores survive the way through them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(value_type = String, example = "12.5")]
pub struct Score(BigRational);

/// A text that is no score.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a decimal number such as 12.5 or 1e2")]
pub struct InvalidScore {
    text: String,
}

impl Score {
    /// Decimal places of a score that is shown or stored.
    pub const DECIMALS: u32 = 9;

    /// No points.
    #[must_use]
    pub fn zero() -> Self {
        Self(BigRational::zero())
    }

    /// The score rounded to [`Self::DECIMALS`] places, halves away from zero.
    #[must_use]
    pub fn rounded(&self) -> Self {
        let scale = scale();
        Self(BigRational::new(self.scaled(), scale))
    }

    /// Whether it is below zero.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.0.is_negative()
    }

    /// Whether there are no points.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    fn scaled(&self) -> BigInt {
        (&self.0 * BigRational::from(scale())).round().to_integer()
    }
}

fn scale() -> BigInt {
    BigInt::from(10).pow(Score::DECIMALS)
}

impl From<u64> for Score {
    fn from(points: u64) -> Self {
        Self(BigRational::from(BigInt::from(points)))
    }
}

impl Add for &Score {
    type Output = Score;

    fn add(self, other: Self) -> Score {
        Score(&self.0 + &other.0)
    }
}

impl Sub for &Score {
    type Output = Score;

    fn sub(self, other: Self) -> Score {
        Score(&self.0 - &other.0)
    }
}

impl Mul for &Score {
    type Output = Score;

    fn mul(self, other: Self) -> Score {
        Score(&self.0 * &other.0)
    }
}

/// Division by a number of parts, which must not be zero.
impl Div<std::num::NonZeroUsize> for &Score {
    type Output = Score;

    fn div(self, parts: std::num::NonZeroUsize) -> Score {
        Score(&self.0 / BigInt::from(parts.get()))
    }
}

impl<'a> Sum<&'a Self> for Score {
    fn sum<I: Iterator<Item = &'a Self>>(scores: I) -> Self {
        scores.fold(Self::zero(), |sum, score| &sum + score)
    }
}

impl FromStr for Score {
    type Err = InvalidScore;

    /// Reads a decimal number of the package formats' grammar, with an exponent
    /// or without. More than a thousand digits are refused.
    fn from_str(text: &str) -> Result<Self, InvalidScore> {
        parse(text).map(Self).ok_or_else(|| InvalidScore {
            text: text.chars().take(64).collect(),
        })
    }
}

fn parse(text: &str) -> Option<BigRational> {
    const MAX_DIGITS: usize = 1000;
    let (significand, exponent) = match text.split_once(['e', 'E']) {
        Some((significand, exponent)) => (significand, integer(exponent)?),
        None => (text, 0),
    };
    let unsigned = significand.strip_prefix(['+', '-']).unwrap_or(significand);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = format!("{whole}{fraction}");
    let fits = (1..=MAX_DIGITS).contains(&digits.len());
    if !fits || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let shift = exponent - i64::try_from(fraction.len()).ok()?;
    let places = usize::try_from(shift.unsigned_abs())
        .ok()
        .filter(|places| *places <= MAX_DIGITS)?;
    let power = BigInt::from(10).pow(u32::try_from(places).ok()?);
    let digits: BigInt = digits.parse().ok()?;
    let size = match shift.cmp(&0) {
        Ordering::Less => BigRational::new(digits, power),
        _ => BigRational::from(digits * power),
    };
    Some(if significand.starts_with('-') {
        -size
    } else {
        size
    })
}

/// An exponent: a sign and at least one digit.
fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scaled = self.scaled();
        let (whole, fraction) = (scaled.abs() / scale(), scaled.abs() % scale());
        let places = usize::try_from(Self::DECIMALS).unwrap_or_default();
        let fraction = format!("{:0>places$}", fraction.to_string());
        let fraction = fraction.trim_end_matches('0');
        let sign = if scaled.is_negative() { "-" } else { "" };
        let text = if fraction.is_empty() {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}.{fraction}")
        };
        f.pad(&text)
    }
}

impl Serialize for Score {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Score {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The points of a group of test cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GroupScore {
    /// The group's name, such as `secret/group1`.
    pub name: String,
    /// Its points.
    pub score: Score,
}

/// Points that a validator gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Award {
    /// So many (`score.txt`).
    Points(Score),
    /// This part of what the test case can give (`score_multiplier.txt`).
    Multiplier(Score),
}

impl Award {
    /// The same with scores as they survive a message.
    #[must_use]
    pub fn rounded(&self) -> Self {
        match self {
            Self::Points(score) => Self::Points(score.rounded()),
            Self::Multiplier(score) => Self::Multiplier(score.rounded()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use proptest::prelude::*;

    use super::*;

    fn score(text: &str) -> Score {
        text.parse().unwrap()
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        let third = &score("100") / NonZeroUsize::new(3).unwrap();
        assert_eq!(third.to_string(), "33.333333333");
        assert_eq!(
            [&third, &third, &third].into_iter().sum::<Score>(),
            score("100")
        );
        assert_ne!(third, third.rounded());
        assert_eq!(&score("0.1") + &score("0.2"), score("0.3"));
        assert_eq!((&score("2") - &score("2.5")).to_string(), "-0.5");
    }

    #[test]
    fn the_grammar_of_numbers() {
        for (text, shown) in [
            ("12", "12"),
            ("-0.50", "-0.5"),
            ("+.5", "0.5"),
            ("7.", "7"),
            ("1e2", "100"),
            ("125E-2", "1.25"),
            ("1.5e+1", "15"),
            ("-0", "0"),
            ("0.0000000005", "0.000000001"),
            ("0.0000000004", "0"),
        ] {
            assert_eq!(score(text).to_string(), shown, "{text}");
        }
        let long = "9".repeat(1001);
        for text in [
            "",
            ".",
            "+",
            "e5",
            "1e",
            "1e+",
            "inf",
            "nan",
            "0x10",
            "1 ",
            " 1",
            "1,5",
            "--1",
            "1e5000",
            "1e99999999999999999999",
            "١",
            &long,
        ] {
            assert!(text.parse::<Score>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn rounded_scores_survive_json(numerator in any::<i64>(), denominator in 1_usize..10_000) {
            let whole = score(&numerator.to_string());
            let rounded = (&whole / NonZeroUsize::new(denominator).unwrap()).rounded();
            let json = serde_json::to_string(&rounded).unwrap();
            prop_assert_eq!(serde_json::from_str::<Score>(&json).unwrap(), rounded);
        }
    }
}
