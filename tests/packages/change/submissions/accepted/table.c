#include <stdio.h>

int main(void) {
    static int ways[100001] = {1};
    int kinds, amount, coin;
    if (scanf("%d %d", &kinds, &amount) != 2) return 1;
    while (scanf("%d", &coin) == 1)
        for (int v = coin; v <= amount; v++) ways[v] = (ways[v] + ways[v - coin]) % 1000000007;
    printf("%d\n", ways[amount]);
    return 0;
}
