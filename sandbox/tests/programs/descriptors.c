/* Prints the numbers of its open descriptors. */
#include <fcntl.h>
#include <stdio.h>

int main(void) {
    for (int number = 0; number < 65536; number++)
        if (fcntl(number, F_GETFD) != -1) printf("%d ", number);
    return 0;
}
