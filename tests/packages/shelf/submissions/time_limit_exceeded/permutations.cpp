// Tries all arrangements in lexicographic order: quick up to a dozen volumes.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <numeric>
#include <vector>

int main() {
    int n;
    std::cin >> n;
    std::vector<int> order(n);
    std::iota(order.begin(), order.end(), 1);
    do {
        bool peace = true;
        for (int i = 1; i < n && peace; ++i) peace = std::abs(order[i] - order[i - 1]) > 1;
        if (peace) {
            for (int v : order) std::cout << v << ' ';
            std::cout << '\n';
            return 0;
        }
    } while (std::next_permutation(order.begin(), order.end()));
    std::cout << "impossible\n";
}
