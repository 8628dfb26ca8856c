/* Presses D only, and collects that in a buffer that is long enough for small numbers: a write beyond its memory. */
#include <stdio.h>

static char buttons[256];

int main(void) {
    long long n;
    if (scanf("%lld", &n) != 1) return 1;
    for (long long i = 0; i < n - 1; i++) buttons[i] = 'D';
    puts(buttons);
    return 0;
}
