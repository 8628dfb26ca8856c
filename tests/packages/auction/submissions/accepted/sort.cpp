#include <algorithm>
#include <functional>
#include <iostream>
#include <vector>

int main() {
    std::ios::sync_with_stdio(false);
    std::cin.tie(nullptr);
    int n;
    std::cin >> n;
    std::vector<int> bids(n);
    for (int& bid : bids) std::cin >> bid;
    std::sort(bids.begin(), bids.end(), std::greater<>());
    for (int bid : bids) std::cout << bid << '\n';
}
