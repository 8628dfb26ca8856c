/* Ends as its arguments say. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (!strcmp(argv[1], "exit")) exit(atoi(argv[2]));
    if (!strcmp(argv[1], "raise")) raise(atoi(argv[2]));
    if (!strcmp(argv[1], "abort")) abort();
    if (!strcmp(argv[1], "null")) *(volatile int *)0 = 1;
    if (!strcmp(argv[1], "divide")) { volatile int zero = 0; return argc / zero; }
    if (!strcmp(argv[1], "pipe")) {
        int ends[2];
        pipe(ends);
        close(ends[0]);
        write(ends[1], "x", 1);
    }
    if (!strcmp(argv[1], "all")) { kill(-1, SIGKILL); kill(1, SIGKILL); exit(3); }
    if (!strcmp(argv[1], "child")) {
        if (fork() == 0) raise(SIGKILL);
        wait(NULL);
        exit(4);
    }
    return 99;
}
