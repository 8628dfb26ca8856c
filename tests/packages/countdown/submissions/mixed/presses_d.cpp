// @EXPECTED_RESULTS@: OUTPUT-LIMIT
// Presses D only: would write up to 10^18 letters.
#include <iostream>

int main() {
    long long n;
    std::cin >> n;
    for (; n > 1; --n) std::cout << 'D';
    std::cout << '\n';
}
