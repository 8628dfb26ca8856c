//! A fuzzer for the requests that `assize-jail` takes: orders that are changed
//! in their structure or in their bytes, beside descriptors that do not fit.
//!
//! Whatever comes, a jail answers, in time, and is as good as before, or else
//! ends by itself and without a panic. Runs for a few seconds as a test, and
//! for as long as asked by `make fuzz MINUTES=10`.
#![expect(
    clippy::unwrap_used,
    reason = "a fuzzer that can't go on fails, and says where it is"
)]

mod descriptors;
mod mutation;
mod order;
mod peer;
mod random;

use descriptors::Given;
use peer::{Answer, Peer};
use random::Random;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// As a test among others.
const SHORT: Duration = Duration::from_secs(5);
/// Requests between two that must succeed.
const CHECKED_EVERY: u64 = 25;

#[test]
fn jail_answers_whatever_is_asked() {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse::<u64>().unwrap())
    };
    let minutes = number("ASSIZE_FUZZ_MINUTES");
    let time = minutes.map_or(SHORT, |minutes| Duration::from_secs(60 * minutes));
    let seed = number("ASSIZE_FUZZ_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let mut random = Random::new(seed);
    let began = Instant::now();
    let mut peer = Peer::start();
    let mut answers: BTreeMap<String, u64> = BTreeMap::new();
    let mut asked = 0;
    while began.elapsed() < time {
        if asked % CHECKED_EVERY == 0 {
            let given = Given::fitting(&order::plain(), &mut random);
            let answer = peer.ask(order::plain().to_string().as_bytes(), &given);
            assert_eq!(
                answer.kind(),
                "exited",
                "seed {seed}, request {asked}: {answer:?}"
            );
        }
        asked += 1;
        let (text, given) = request(&mut random);
        let answer = peer.ask(&text, &given);
        *answers.entry(answer.kind()).or_default() += 1;
        if let Answer::Silence = answer {
            panic!(
                "seed {seed}, request {asked}: no answer to {}",
                String::from_utf8_lossy(&text)
            );
        }
        if !answer.spares_jail() {
            if let Some(problem) = peer.end() {
                let text = String::from_utf8_lossy(&text);
                panic!("seed {seed}, request {asked}: {problem} after {text}: {answer:?}");
            }
            peer = Peer::start();
        }
    }
    assert_eq!(peer.end(), None, "seed {seed}");
    eprintln!("seed {seed}: {asked} requests: {answers:?}");
    assert!(answers.len() > 2, "the fuzzer sees too little: {answers:?}");
}

fn request(random: &mut Random) -> (Vec<u8>, Given) {
    let mut order: Value = random.one(&order::all()).clone();
    for _ in 0..random.below(4) {
        mutation::change(&mut order, random);
    }
    let given = if random.one_in(8) {
        Given::arbitrary(random)
    } else {
        Given::fitting(&order, random)
    };
    let mut text = order.to_string().into_bytes();
    if random.one_in(16) {
        mutation::change_bytes(&mut text, random);
    }
    (text, given)
}
