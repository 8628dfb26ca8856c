/* Goes up and down again before it halves an odd number: too many presses when all bits are ones. */
#include <stdio.h>

int main(void) {
    long long n;
    if (scanf("%lld", &n) != 1) return 1;
    for (; n > 1; n /= 2) printf(n % 2 ? "UDDH" : "H");
    puts("");
    return 0;
}
