// Asserts that the ox weighs less than half a tonne: aborts in the middle of the dialogue.
#include <cstdlib>
#include <iostream>
#include <string>

int main() {
    long low = 1, high = 1000000000;
    std::string answer;
    while (true) {
        const long guess = (low + high) / 2;
        std::cout << guess << std::endl;
        std::cin >> answer;
        if (answer == "correct") return 0;
        if (answer == "higher") low = guess + 1;
        else high = guess - 1;
        if (low > 500000000) std::abort();
    }
}
