/* Has room for ten weights, and stops at the eleventh. */
#include <stdio.h>

int main(void) {
    long long sums[2] = {0, 0};
    for (int pan = 0; pan < 2; pan++) {
        int count, weight;
        if (scanf("%d", &count) != 1 || count > 10) return 1;
        while (count-- > 0 && scanf("%d", &weight) == 1) sums[pan] += weight;
    }
    puts(sums[0] > sums[1] ? "left" : sums[0] < sums[1] ? "right" : "even");
}
