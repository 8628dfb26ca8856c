/* Spends time as its argument says. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void *spin(void *unused) { for (;;) ; return unused; }

/* More of them by now: the start of a program costs time, too, and a lot in an emulated machine. */
static void compute(long milliseconds) {
    clock_t end = clock() + milliseconds * (CLOCKS_PER_SEC / 1000);
    while (clock() < end) ;
}

int main(int argc, char **argv) {
    for (int signal_ = 1; signal_ < 65; signal_++) signal(signal_, SIG_IGN);
    if (!strcmp(argv[1], "spin")) spin(NULL);
    if (!strcmp(argv[1], "system")) for (;;) getppid();
    if (!strcmp(argv[1], "threads")) {
        for (int i = 0; i < 4; i++) { pthread_t thread; pthread_create(&thread, NULL, spin, NULL); }
        pause();
    }
    if (!strcmp(argv[1], "children")) {
        for (int i = 0; i < 4; i++) if (fork() == 0) spin(NULL);
        pause();
    }
    if (!strcmp(argv[1], "sleep")) for (;;) pause();
    /* Computes for 20 milliseconds of every 100. */
    if (!strcmp(argv[1], "blink"))
        for (;;) {
            compute(20);
            usleep(80000);
        }
    /* Computes for 300 milliseconds first. */
    if (!strcmp(argv[1], "tire")) {
        compute(300);
        for (;;) pause();
    }
    if (!strcmp(argv[1], "stop")) { kill(getpid(), SIGSTOP); for (;;) pause(); }
    if (!strcmp(argv[1], "burn")) compute(atol(argv[2]));
    return 0;
}
