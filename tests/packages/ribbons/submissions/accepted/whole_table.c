/* Keeps the whole table, as 16-bit numbers: 48 MiB of the 64 that are allowed. */
#include <stdio.h>
#include <string.h>

static unsigned short table[5001][5001];
static char a[5002], b[5002];

int main(void) {
    if (scanf("%5001s %5001s", a, b) != 2) return 1;
    int n = strlen(a), m = strlen(b);
    for (int i = 1; i <= n; i++)
        for (int j = 1; j <= m; j++) {
            unsigned short up = table[i - 1][j], left = table[i][j - 1];
            table[i][j] = a[i - 1] == b[j - 1] ? table[i - 1][j - 1] + 1 : up > left ? up : left;
        }
    printf("%d\n", table[n][m]);
    return 0;
}
