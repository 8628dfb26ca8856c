// Two lines with single spaces: k and n, then k different coins.
#include <iostream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <vector>

int main() {
    const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
    std::istringstream words(text);
    long k, n;
    if (!(words >> k >> n) || k < 1 || k > 10 || n < 1 || n > 100000) return 43;
    std::string again = std::to_string(k) + " " + std::to_string(n) + "\n";
    std::set<long> coins;
    for (long coin; words >> coin;) {
        if (coin < 1 || coin > 100000 || !coins.insert(coin).second) return 43;
        again += std::to_string(coin) + (static_cast<long>(coins.size()) == k ? "\n" : " ");
    }
    // Written anew it must be the same text: no other spaces, signs or leading zeros.
    return static_cast<long>(coins.size()) == k && again == text ? 42 : 43;
}
