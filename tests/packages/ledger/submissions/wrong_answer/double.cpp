// 53 bits of mantissa: right until 2^53.
#include <cstdio>

int main() {
    double a, b;
    if (std::scanf("%lf %lf", &a, &b) != 2) return 1;
    std::printf("%.0f\n", a + b);
}
