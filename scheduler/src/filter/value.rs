//! Values as filters write them.

use bytesize::ByteSize;
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use uuid::Uuid;

use super::field::Kind;
use super::{Value, Values};

/// Reads values of one kind; the index of the one that is wrong, with what would
/// be right.
pub(super) fn values(kind: Kind, texts: &[&str]) -> Result<Values, (usize, String)> {
    match kind {
        Kind::Text => each(texts, |text| Ok(text.to_owned())).map(Values::Texts),
        Kind::Name(names) => each(texts, |text| name(names, text)).map(Values::Texts),
        Kind::Number | Kind::Span | Kind::Size => {
            each(texts, |text| number(kind, text)).map(Values::Numbers)
        }
        Kind::Time => each(texts, moment).map(Values::Times),
        Kind::Truth => each(texts, truth).map(Values::Truths),
        Kind::Id => each(texts, id).map(Values::Ids),
    }
}

/// Reads a value of a kind that has an order.
pub(super) fn ordered(kind: Kind, text: &str) -> Result<Value, String> {
    match kind {
        Kind::Number | Kind::Span | Kind::Size => number(kind, text).map(Value::Number),
        Kind::Time => moment(text).map(Value::Time),
        Kind::Text | Kind::Name(_) | Kind::Truth | Kind::Id => {
            Err("it has no order: expected =, != or in".to_owned())
        }
    }
}

fn each<T>(
    texts: &[&str],
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, (usize, String)> {
    let read = |(index, text): (usize, &&str)| read(text).map_err(|problem| (index, problem));
    texts.iter().enumerate().map(read).collect()
}

fn name(names: &[&str], text: &str) -> Result<String, String> {
    let known = names.iter().find(|name| name.eq_ignore_ascii_case(text));
    known
        .map(|name| (*name).to_owned())
        .ok_or_else(|| format!("expected one of {}", names.join(", ")))
}

fn truth(text: &str) -> Result<bool, String> {
    text.parse()
        .map_err(|_| "expected true or false".to_owned())
}

fn id(text: &str) -> Result<Uuid, String> {
    Uuid::parse_str(text).map_err(|_| "expected an id, which is a UUID".to_owned())
}

/// Spans in milliseconds, sizes in bytes.
fn number(kind: Kind, text: &str) -> Result<f64, String> {
    let finite = |text: &str| {
        let number = text.parse::<f64>().ok();
        number.filter(|number| number.is_finite())
    };
    match kind {
        Kind::Span => {
            let milliseconds = text.strip_suffix("ms").and_then(finite);
            let seconds = || text.strip_suffix('s').and_then(finite);
            milliseconds
                .or_else(|| seconds().map(|seconds| seconds * 1000.0))
                .ok_or_else(|| "expected a time span such as 1.5s or 900ms".to_owned())
        }
        Kind::Size => text
            .parse::<ByteSize>()
            .ok()
            .and_then(|size| finite(&size.as_u64().to_string()))
            .ok_or_else(|| "expected a size such as 64MiB".to_owned()),
        _ => finite(text).ok_or_else(|| "expected a number".to_owned()),
    }
}

fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Ok(moment.to_utc());
    }
    let forms = [
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%d %H:%M",
    ];
    let naive = forms
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .or_else(|| {
            let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
            date.and_hms_opt(0, 0, 0)
        });
    naive.map(|naive| naive.and_utc()).ok_or_else(|| {
        "expected a moment such as 2026-11-24T18:00:00Z, or 2026-11-24T18:00 in UTC".to_owned()
    })
}
