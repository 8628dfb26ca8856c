#include <iostream>

int main() {
    int n;
    std::cin >> n;
    if (n == 2 || n == 3) {
        std::cout << "impossible\n";
        return 0;
    }
    for (int v = 2; v <= n; v += 2) std::cout << v << ' ';
    for (int v = 1; v <= n; v += 2) std::cout << v << ' ';
    std::cout << '\n';
}
