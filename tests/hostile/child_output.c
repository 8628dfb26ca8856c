/* Lets a child write without end, whose parent has left.
 * expect: exited 0 or killed output */
#include <unistd.h>
int main(void) {
    static char block[65536];
    if (fork() == 0) for (;;) write(1, block, sizeof block);
    usleep(1000);
    return 0;
}
