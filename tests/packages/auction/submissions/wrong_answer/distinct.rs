// A set forgets equal bids.
use std::collections::BTreeSet;
use std::io::Read;

fn main() {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    let bids: BTreeSet<u32> = text.split_whitespace().skip(1).map(|word| word.parse().unwrap()).collect();
    let lines: Vec<String> = bids.iter().rev().map(u32::to_string).collect();
    println!("{}", lines.join("\n"));
}
