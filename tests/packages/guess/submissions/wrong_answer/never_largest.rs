// The upper bound is exclusive, so the heaviest ox is never guessed: the program gives up.
use std::io::{self, BufRead};

fn main() {
    let mut answers = io::stdin().lock().lines();
    let (mut low, mut high) = (1, 1_000_000_000);
    while low < high {
        let guess = (low + high) / 2;
        println!("{guess}");
        match answers.next().unwrap().unwrap().as_str() {
            "correct" => return,
            "higher" => low = guess + 1,
            _ => high = guess,
        }
    }
}
