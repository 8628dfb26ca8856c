// Adds one at a time: right and quick for small numbers.
#include <cstdio>

int main() {
    long long a, b;
    if (std::scanf("%lld %lld", &a, &b) != 2) return 1;
    volatile long long sum = a;
    for (; b > 0; --b) sum = sum + 1;
    for (; b < 0; ++b) sum = sum - 1;
    std::printf("%lld\n", static_cast<long long>(sum));
}
