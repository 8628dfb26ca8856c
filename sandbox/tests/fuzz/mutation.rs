//! Changes to a request: of one value somewhere in it, or of its bytes.

use crate::random::Random;
use serde_json::{Value, json};

const TEXTS: [&str; 24] = [
    "",
    "/",
    "//",
    ".",
    "..",
    "/..",
    "/tmp",
    "/tmp/",
    "/tmp/../etc",
    "/tmp/x",
    "/tmp/x/y",
    "/proc",
    "/proc/self/exe",
    "/dev",
    "/usr/bin",
    "/nowhere/at/all",
    "a\0b",
    "/tmp/a\0b",
    "ptrace",
    "unshare",
    "compiler",
    "Fd",
    "EPERM",
    "\u{1f980}",
];

const NUMBERS: [u64; 12] = [
    0,
    1,
    2,
    3,
    63,
    4095,
    4096,
    1 << 31,
    u32::MAX as u64,
    1 << 40,
    1 << 63,
    u64::MAX,
];

/// Words that mean something, by the key they belong to.
const WORDS: [(&str, &[&str]); 6] = [
    ("mode", &["unshare", "ptrace"]),
    ("policy", &["contestant", "compiler"]),
    ("audit", &["summary", "decisions", "full"]),
    ("stdout", &["Null", "Fd"]),
    ("stderr", &["Null", "Fd"]),
    ("action", &["allow", "trace", "deny", "kill"]),
];

/// Changes one value.
pub(crate) fn change(value: &mut Value, random: &mut Random) {
    // Down to somewhere, deep places as likely as high ones.
    match value {
        Value::Object(map) if !map.is_empty() && !random.one_in(60) => {
            let keys: Vec<String> = map.keys().cloned().collect();
            let key = random.one(&keys);
            let words = WORDS.iter().find(|(name, _)| name == key);
            match (random.below(60), words) {
                (2.., Some((_, words))) => map[key] = json!(random.one(words)),
                (0, _) => drop(map.remove(key)),
                (1, _) => {
                    map.insert((*random.one(&TEXTS)).to_owned(), json!(1));
                }
                _ => change(&mut map[key], random),
            }
        }
        Value::Array(list) if !list.is_empty() && !random.one_in(30) => {
            let index = random.below(list.len());
            match random.below(6) {
                0 => drop(list.remove(index)),
                1 => {
                    let one = list[index].clone();
                    let times = *random.one(&[1, 2, 16, 300]);
                    list.extend(std::iter::repeat_n(one, times));
                }
                _ => change(&mut list[index], random),
            }
        }
        other => *other = replacement(other, random),
    }
}

/// Mostly of the same kind, so that it is not refused at first sight.
fn replacement(old: &Value, random: &mut Random) -> Value {
    let number = |random: &mut Random| match random.below(4) {
        0 => json!(random.number()),
        _ => json!(random.one(&NUMBERS)),
    };
    let text = |random: &mut Random| match random.below(12) {
        0 => json!("/tmp/long".repeat(1000)),
        1 => json!("x".repeat(300)),
        _ => json!(random.one(&TEXTS)),
    };
    match old {
        Value::Bool(old) => json!(!old),
        Value::Number(_) if !random.one_in(20) => number(random),
        Value::String(_) if !random.one_in(20) => text(random),
        Value::Array(_) if !random.one_in(8) => json!([text(random), text(random)]),
        _ => match random.below(6) {
            0 => Value::Null,
            1 => json!([]),
            2 => json!({}),
            3 => json!(-1),
            4 => (0..200).fold(json!(1), |inner, _| json!([inner])),
            _ => text(random),
        },
    }
}

/// Changes the text, which then is mostly none any more.
pub(crate) fn change_bytes(text: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(text.len());
    match random.below(7) {
        0 => text.truncate(at),
        1 => *text = b"+".to_vec(),
        2 => text.extend(std::iter::repeat_n(b' ', 9000)),
        3 => text[at] = random.number().to_le_bytes()[0],
        4 => text.insert(at, b'"'),
        5 => {
            *text = (0..random.below(5000))
                .map(|_| random.number().to_le_bytes()[0])
                .collect()
        }
        _ => drop(text.remove(at)),
    }
}
