#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

int main() {
    std::string a, b;
    std::cin >> a >> b;
    std::vector<int> above(b.size() + 1), row(b.size() + 1);
    for (char bead : a) {
        for (std::size_t j = 1; j <= b.size(); ++j)
            row[j] = bead == b[j - 1] ? above[j - 1] + 1 : std::max(above[j], row[j - 1]);
        above.swap(row);
    }
    std::cout << above[b.size()] << '\n';
}
