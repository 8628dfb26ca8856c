/* Forgets the modulus, and so overflows: right for the small ones only. */
#include <stdio.h>

int main(void) {
    int steps;
    unsigned one = 1, two = 1;
    if (scanf("%d", &steps) != 1) return 1;
    for (; steps > 1; steps--) {
        unsigned next = one + two;
        one = two;
        two = next;
    }
    printf("%u\n", two);
}
