/* Has the kernel count what its arguments say, so many times, itself or in another process. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void act(const char *what, long times) {
    struct timespec moment = {0, 100000};
    if (!strcmp(what, "sleep"))
        for (long i = 0; i < times; i++) nanosleep(&moment, NULL);
    if (!strcmp(what, "touch")) {
        char *at = mmap(NULL, times * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        madvise(at, times * 4096, MADV_NOHUGEPAGE);
        for (long i = 0; i < times; i++) ((volatile char *)at)[i * 4096] = 1;
    }
    if (!strcmp(what, "burn"))
        while (clock() < times * (CLOCKS_PER_SEC / 1000)) ;
}

int main(int argc, char **argv) {
    long times = atol(argv[2]);
    const char *who = argv[3];
    if (!strcmp(who, "self")) act(argv[1], times);
    if (!strcmp(who, "child")) {
        if (fork() == 0) { act(argv[1], times); _exit(0); }
        wait(NULL);
    }
    if (!strcmp(who, "both")) {
        int child = fork();
        act(argv[1], times);
        if (child == 0) _exit(0);
        wait(NULL);
    }
    /* Left to the first process of the namespace, alive. */
    if (!strcmp(who, "orphan")) {
        int ends[2];
        char done;
        pipe(ends);
        if (fork() == 0) { act(argv[1], times); write(ends[1], "x", 1); pause(); }
        read(ends[0], &done, 1);
    }
    /* Left to the kernel. */
    if (!strcmp(who, "disowned")) {
        signal(SIGCHLD, SIG_IGN);
        if (fork() == 0) { act(argv[1], times); _exit(0); }
        wait(NULL);
    }
    return 0;
}
