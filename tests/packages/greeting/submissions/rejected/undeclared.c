// @EXPECTED_RESULTS@: COMPILER-ERROR
#include <stdio.h>

int main(void) {
    fgets(name, sizeof name, stdin);
    printf("Good evening, %s!\n", name);
    return 0;
}
