/* @EXPECTED_RESULTS@: OUTPUT-LIMIT
   Never stops to answer in the second run. */
#include <stdio.h>

int main(void) {
    char kind[16];
    if (scanf("%15s", kind) != 1) return 1;
    if (kind[0] == 's') return puts("hello") < 0;
    for (;;) puts("was it seven?");
}
