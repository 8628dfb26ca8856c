#include <stdio.h>

int main(void) {
    char word[16], answer[16];
    if (scanf("%15s", word) != 1) return 1;
    if (word[0] == 't') {
        if (scanf("%15s", answer) != 1) return 1;
        printf("%d\n", (answer[0] - 'a') * 676 + (answer[1] - 'a') * 26 + answer[2] - 'a');
        return 0;
    }
    int low = 1, high = 1000;
    while (low < high) {
        const int middle = (low + high) / 2;
        printf("ask %d\n", middle);
        fflush(stdout);
        if (scanf("%15s", answer) != 1) return 1;
        if (answer[0] == 'f') low = middle + 1;
        else if (answer[0] == 'n') high = middle - 1;
        else low = high = middle;
    }
    printf("note %c%c%c\n", 'a' + low / 676, 'a' + low / 26 % 26, 'a' + low % 26);
}
