// Believes that 23:32 can be waited for after it has passed: wrong in the last minutes of the day only.
fn main() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    let (hour, minute) = line.trim().split_once(':').unwrap();
    let now = hour.parse::<i32>().unwrap() * 60 + minute.parse::<i32>().unwrap();
    let mirrored = |minute: &i32| minute / 60 / 10 == minute % 10 && minute / 60 % 10 == minute % 60 / 10;
    let next = (now..1440).find(mirrored).unwrap_or(1412);
    println!("{}", (next - now).abs());
}
