/* Room for a thousand bids: writes far beyond its stack frame. */
#include <stdio.h>
#include <stdlib.h>

static int descending(const void *a, const void *b) {
    return *(const int *)b - *(const int *)a;
}

int main(void) {
    int bids[1000], n;
    if (scanf("%d", &n) != 1) return 1;
    for (int i = 0; i < n; i++)
        if (scanf("%d", &bids[i]) != 1) return 1;
    qsort(bids, n, sizeof *bids, descending);
    for (int i = 0; i < n; i++) printf("%d\n", bids[i]);
    return 0;
}
