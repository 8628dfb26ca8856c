#include <stdio.h>

long long cheapest(int n, const int* tolls, int start, int end);

int main(void) {
    static int tolls[{{most_towns}}];
    int n, start, end;
    if (scanf("%d %d %d", &n, &start, &end) != 3) return 1;
    for (int i = 0; i < n; i++)
        if (scanf("%d", &tolls[i]) != 1) return 1;
    printf("%lld\n", cheapest(n, tolls, start, end));
}
