/* Files that are each small enough, without end.
 * expect: killed output */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
int main(void) {
    static char block[100000];
    for (int i = 0;; i++) {
        char name[32];
        sprintf(name, "/tmp/%d", i % 60000);
        int file = open(name, O_CREAT | O_WRONLY, 0600);
        write(file, block, sizeof block);
        close(file);
    }
}
