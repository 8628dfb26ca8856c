// Looks at the second volume even when there is only one.
fn main() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    let n: usize = line.trim().parse().unwrap();
    let order: Vec<usize> = (2..=n).step_by(2).chain((1..=n).step_by(2)).collect();
    if order[0].abs_diff(order[1]) < 2 || n == 3 {
        println!("impossible");
        return;
    }
    for volume in order {
        print!("{volume} ");
    }
    println!();
}
