#include <iostream>
#include <string>

int main() {
    long low = 1, high = 1000000000;
    std::string answer;
    while (low <= high) {
        const long guess = (low + high) / 2;
        std::cout << guess << std::endl;
        std::cin >> answer;
        if (answer == "correct") return 0;
        if (answer == "higher") low = guess + 1;
        else high = guess - 1;
    }
    return 1;
}
