// Right, but quadratic.
#include <iostream>
#include <utility>
#include <vector>

int main() {
    std::ios::sync_with_stdio(false);
    std::cin.tie(nullptr);
    int n;
    std::cin >> n;
    std::vector<int> bids(n);
    for (int& bid : bids) std::cin >> bid;
    for (int end = n; end > 1; --end)
        for (int i = 1; i < end; ++i)
            if (bids[i - 1] < bids[i]) std::swap(bids[i - 1], bids[i]);
    for (int bid : bids) std::cout << bid << '\n';
}
