// @EXPECTED_RESULTS@: COMPILER-ERROR
fn main() {
    let sum: i64 = "thirty";
    println!("{sum}");
}
