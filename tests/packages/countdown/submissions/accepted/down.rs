fn main() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    let number: u64 = line.trim().parse().unwrap();
    let binary = format!("{number:b}");
    let buttons: Vec<&str> = binary[1..].chars().rev().map(|bit| if bit == '1' { "DH" } else { "H" }).collect();
    println!("{}", buttons.concat());
}
