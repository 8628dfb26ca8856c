// Cuts the lens into slices, the wider the more: precise enough, but ten thousand million for a wide one.
use std::io::Read;

fn main() {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    let v: Vec<f64> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let (r, s) = (v[2], v[5]);
    let d = (v[3] - v[0]).hypot(v[4] - v[1]);
    let (left, right) = ((-r).max(d - s), r.min(d + s));
    let mut area = 0.0;
    if left < right {
        let slices = (right - left).powi(5).max(1e6) as u64;
        let width = (right - left) / slices as f64;
        for i in 0..slices {
            let x = left + width * (i as f64 + 0.5);
            let height = (r * r - x * x).max(0.0).min((s * s - (x - d) * (x - d)).max(0.0)).sqrt();
            area += 2.0 * height * width;
        }
    }
    println!("{area:.9}");
}
