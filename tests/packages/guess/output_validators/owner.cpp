// The owner of the ox: answers guesses and decides whether the weight was found in time.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>

static const int kGuesses = 32;
static std::string feedback;

[[noreturn]] static void reject(const std::string& reason) {
    std::ofstream(feedback + "judgemessage.txt") << reason << '\n';
    std::exit(43);
}

int main(int argc, char** argv) {
    if (argc < 4) return 1;
    feedback = argv[3];
    long weight = 0;
    if (!(std::ifstream(argv[1]) >> weight)) return 1;

    std::string word;
    for (int guesses = 1; guesses <= kGuesses; ++guesses) {
        if (!(std::cin >> word)) reject("no guess number " + std::to_string(guesses));
        char* end = nullptr;
        const long guess = std::strtol(word.c_str(), &end, 10);
        if (*end != '\0' || guess < 1 || guess > 1000000000) reject("not a weight: guess " + std::to_string(guesses));
        if (guess == weight) {
            std::cout << "correct" << std::endl;
            // Waits for the end of the output: more of it is wrong, and a program that never ends is too slow.
            if (std::cin >> word) reject("more output after the right guess");
            std::ofstream(feedback + "judgemessage.txt") << "found with " << guesses << " guesses\n";
            return 42;
        }
        std::cout << (guess < weight ? "higher" : "lower") << std::endl;
    }
    reject("not found with " + std::to_string(kGuesses) + " guesses");
}
