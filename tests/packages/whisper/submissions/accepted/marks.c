#include <stdio.h>
#include <string.h>

int main(void) {
    char kind[16], text[16];
    if (scanf("%15s %15s", kind, text) != 2) return 1;
    if (strcmp(kind, "send") == 0) {
        int number;
        sscanf(text, "%d", &number);
        char word[8] = "a_____b";
        for (int i = 1; i <= 5; i++, number /= 26) word[i] = (char)('a' + number % 26);
        puts(word);
    } else {
        const int backwards = text[0] == 'b';
        int number = 0;
        for (int i = 5; i >= 1; i--) number = number * 26 + text[backwards ? 6 - i : i] - 'a';
        printf("%d\n", number);
    }
}
