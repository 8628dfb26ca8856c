/* Files that look large and hold one page each, until there is no more room; then it ends well.
 * expect: killed output */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
int main(void) {
    for (int i = 0; i < 1000; i++) {
        char name[32];
        sprintf(name, "/tmp/%d", i);
        int file = open(name, O_CREAT | O_WRONLY, 0600);
        pwrite(file, "x", 1, 200 << 20);
        close(file);
    }
    return 0;
}
