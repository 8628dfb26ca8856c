#include <iostream>

int main() {
    long long n;
    std::cin >> n;
    while (n > 1) {
        if (n % 2) {
            std::cout << 'U';
            ++n;
        }
        std::cout << 'H';
        n /= 2;
    }
    std::cout << '\n';
}
