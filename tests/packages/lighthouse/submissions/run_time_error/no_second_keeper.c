/* Only the first keeper was thought of: the second one is given up. */
#include <stdio.h>
#include <stdlib.h>

int main(void) {
    char word[16];
    if (scanf("%15s", word) != 1) return 1;
    if (word[0] == 't') abort();
    puts("note abc");
}
