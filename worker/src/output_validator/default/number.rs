//! Tokens that are numbers.

/// A sign, digits with at most one point among them, an exponent: nothing else,
/// so neither `inf` nor `nan` nor hexadecimal. All that is a number since 2025-09.
pub(super) fn decimal(token: &[u8]) -> Option<f64> {
    let (_, rest) = sign(token);
    let is_number = match rest.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        None => is_significand(rest),
        Some(at) => {
            let (_, digits) = sign(&rest[at + 1..]);
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

/// A hexadecimal number of IEEE 754: digits with at most one point among them, and the
/// power of two, which must be there.
pub(super) fn hexadecimal(token: &[u8]) -> Option<f64> {
    let (is_negative, rest) = sign(token);
    let rest = str::from_utf8(rest).ok()?;
    let digits = rest
        .strip_prefix("0x")
        .or_else(|| rest.strip_prefix("0X"))?;
    let (significand, exponent) = digits.split_once(['p', 'P'])?;
    let (whole, fraction) = significand.split_once('.').unwrap_or((significand, ""));
    if significand.len() <= usize::from(significand.contains('.')) {
        return None;
    }
    let mut value = 0.0;
    for digit in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let places = i32::try_from(fraction.len()).ok()?.checked_mul(4)?;
    let power = exponent.parse::<i32>().ok()?.checked_sub(places)?;
    let value = value * f64::from(power).exp2();
    Some(if is_negative { -value } else { value })
}

/// An infinity of IEEE 754.
pub(super) fn infinity(token: &[u8]) -> Option<f64> {
    let (is_negative, rest) = sign(token);
    let is_infinite = rest.eq_ignore_ascii_case(b"inf") || rest.eq_ignore_ascii_case(b"infinity");
    let value = if is_negative {
        f64::NEG_INFINITY
    } else {
        f64::INFINITY
    };
    is_infinite.then_some(value)
}

/// Whether there is a minus, and what follows the sign.
fn sign(token: &[u8]) -> (bool, &[u8]) {
    match token {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, token),
    }
}
