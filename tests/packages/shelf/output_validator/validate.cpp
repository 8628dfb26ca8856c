// Accepts every arrangement that is right; the judges' answer only says whether there is one.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

static std::string feedback;

[[noreturn]] static void reject(const std::string& reason) {
    std::ofstream(feedback + "judgemessage.txt") << reason << '\n';
    std::exit(43);
}

int main(int argc, char** argv) {
    if (argc < 4) return 1;
    feedback = argv[3];
    std::ifstream input(argv[1]), answer(argv[2]);
    int n = 0;
    std::string expected, word;
    if (!(input >> n) || !(answer >> expected)) return 1;

    if (!(std::cin >> word)) reject("no output");
    if (word == "impossible") {
        if (expected != "impossible") reject("says impossible, but there is a way");
        if (std::cin >> word) reject("more output after impossible");
        return 42;
    }

    std::vector<bool> placed(n + 1);
    long previous = -1;
    for (int i = 1; i <= n; ++i) {
        char* end = nullptr;
        const long volume = std::strtol(word.c_str(), &end, 10);
        if (*end != '\0' || volume < 1 || volume > n) reject("not a volume: position " + std::to_string(i));
        if (placed[volume]) reject("volume " + std::to_string(volume) + " stands twice");
        if (i > 1 && std::labs(volume - previous) < 2)
            reject("volumes " + std::to_string(previous) + " and " + std::to_string(volume) + " quarrel");
        placed[volume] = true;
        previous = volume;
        const bool more = static_cast<bool>(std::cin >> word);
        if (more && i == n) reject("more than " + std::to_string(n) + " volumes");
        if (!more && i < n) reject("only " + std::to_string(i) + " volumes");
    }
    // The judges have missed a solution: not the contestant's fault.
    if (expected == "impossible") return 1;
    return 42;
}
