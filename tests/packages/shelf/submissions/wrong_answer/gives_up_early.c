/* Thinks that four volumes can't be placed either. */
#include <stdio.h>

int main(void) {
    int n;
    if (scanf("%d", &n) != 1) return 1;
    if (n > 1 && n < 5) {
        puts("impossible");
        return 0;
    }
    for (int v = 2; v <= n; v += 2) printf("%d ", v);
    for (int v = 1; v <= n; v += 2) printf("%d ", v);
    puts("");
    return 0;
}
