// Ends with 0 for a valid input.
#include <cstdio>

int main() {
    for (int pan = 0; pan < 2; ++pan) {
        int count, weight;
        if (std::scanf("%d", &count) != 1 || count < 1 || count > 1000) return 1;
        for (int i = 0; i < count; ++i)
            if (std::scanf("%d", &weight) != 1 || weight < 1 || weight > 1000000000) return 1;
        if (std::getchar() != '\n') return 1;
    }
    return std::getchar() != EOF;
}
