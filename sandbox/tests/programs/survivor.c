/* Leaves a daemon of its own session behind, which holds nothing but writes
 * to the descriptor 1 for as long as it lives. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

int main(void) {
    int ready[2];
    char byte;
    pipe(ready);
    if (fork() == 0) {
        setsid();
        for (int signal_ = 1; signal_ < 65; signal_++) signal(signal_, SIG_IGN);
        if (fork() != 0) _exit(0);
        write(ready[1], "x", 1);
        for (;;) { write(1, "alive\n", 6); usleep(1000); }
    }
    read(ready[0], &byte, 1);
    return 0;
}
