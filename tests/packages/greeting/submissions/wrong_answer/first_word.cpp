// Reads a word instead of a line: right as long as the name is one word.
#include <iostream>
#include <string>

int main() {
    std::string name;
    std::cin >> name;
    std::cout << "Good evening, " << name << "!\n";
}
