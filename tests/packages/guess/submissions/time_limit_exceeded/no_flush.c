/* Its guess stays in the buffer: both sides wait for each other until the wall clock ends it. */
#include <stdio.h>
#include <string.h>

int main(void) {
    static char buffer[4096];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    long low = 1, high = 1000000000;
    char answer[16];
    for (;;) {
        long guess = (low + high) / 2;
        printf("%ld\n", guess);
        if (scanf("%15s", answer) != 1 || strcmp(answer, "correct") == 0) return 0;
        if (strcmp(answer, "higher") == 0) low = guess + 1;
        else high = guess - 1;
    }
}
