// Right, but for every amount it tries how often each coin may be used: quadratic in the amount.
#include <iostream>
#include <vector>

int main() {
    int k, n, coin;
    std::cin >> k >> n;
    std::vector<int> ways(n + 1);
    ways[0] = 1;
    while (std::cin >> coin) {
        std::vector<int> next(n + 1);
        for (int v = 0; v <= n; ++v) {
            long long sum = 0;
            for (int rest = v; rest >= 0; rest -= coin) sum += ways[rest];
            next[v] = sum % 1000000007;
        }
        ways = next;
    }
    std::cout << ways[n] << '\n';
}
