/* Starts processes or threads, as many as its arguments say. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *wait_for_ever(void *unused) { pause(); return unused; }

int main(int argc, char **argv) {
    int many = argc > 2 ? atoi(argv[2]) : 1000000;
    for (int i = 0; i < many; i++) {
        pthread_t thread;
        if (!strcmp(argv[1], "fork")) { if (fork() == 0) pause(); }
        if (!strcmp(argv[1], "bomb")) fork();
        if (!strcmp(argv[1], "thread")) pthread_create(&thread, NULL, wait_for_ever, NULL);
    }
    return 0;
}
