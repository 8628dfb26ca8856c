/* Spends time as its argument says. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void *spin(void *unused) { for (;;) ; return unused; }

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
        for (long round = 1;; round++) {
            while (clock() < round * (CLOCKS_PER_SEC / 50)) ;
            usleep(80000);
        }
    /* Computes for 300 milliseconds first. */
    if (!strcmp(argv[1], "tire")) {
        // More than the test asks for: this clock began before the run did.
        while (clock() < 32 * (CLOCKS_PER_SEC / 100)) ;
        for (;;) pause();
    }
    if (!strcmp(argv[1], "stop")) { kill(getpid(), SIGSTOP); for (;;) pause(); }
    if (!strcmp(argv[1], "burn")) {
        long limit = atol(argv[2]);
        while (clock() < limit * (CLOCKS_PER_SEC / 1000)) ;
    }
    return 0;
}
