// Recursion without a memory: exponential.
fn longest(a: &[u8], b: &[u8]) -> usize {
    match (a, b) {
        ([], _) | (_, []) => 0,
        ([x, a @ ..], [y, b @ ..]) if x == y => longest(a, b) + 1,
        ([_, rest_a @ ..], [_, rest_b @ ..]) => longest(rest_a, b).max(longest(a, rest_b)),
    }
}

fn main() {
    let lines: Vec<String> = std::io::stdin().lines().map(Result::unwrap).collect();
    println!("{}", longest(lines[0].as_bytes(), lines[1].as_bytes()));
}
