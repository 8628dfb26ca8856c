/* A daemon of the book: two forks, a session of its own, no signal heard, all
 * descriptors closed.
 * expect: exited 0 */
#include <signal.h>
#include <unistd.h>
int main(void) {
    int ready[2];
    char byte;
    pipe(ready);
    if (fork() == 0) {
        setsid();
        for (int s = 1; s < 65; s++) signal(s, SIG_IGN);
        if (fork()) _exit(0);
        chdir("/");
        write(ready[1], "x", 1);
        for (int fd = 0; fd < 64; fd++) close(fd);
        for (;;) ;
    }
    read(ready[0], &byte, 1);
    return 0;
}
