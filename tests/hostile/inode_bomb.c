/* Empty files without end: names and inodes are memory too.
 * expect: exited 0 or killed memory
 * limits: cpu=20 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
int main(void) {
    for (int i = 0;; i++) {
        char name[32];
        sprintf(name, "/tmp/%d", i);
        int file = open(name, O_CREAT | O_WRONLY, 0600);
        if (file < 0) return 0;
        close(file);
    }
}
