/* Changes the limit of core dumps by every call that could, and says what it is
 * then: of itself, of a child, and of a program that it executes. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *who) {
    struct rlimit now;
    if (getrlimit(RLIMIT_CORE, &now)) printf("%s: %m\n", who);
    else printf("%s: %ld %ld\n", who, (long)now.rlim_cur, (long)now.rlim_max);
    fflush(stdout);
}

static void change(void) {
    /* The kernel looks at 32 bits of a resource's number. */
    long upper = 0x500000000L | RLIMIT_CORE;
    for (long soft = 0; soft < 2; soft++) {
        struct rlimit to = {soft, soft ? RLIM_INFINITY : 0};
        setrlimit(RLIMIT_CORE, &to);
        prlimit(0, RLIMIT_CORE, &to, NULL);
        prlimit(getpid(), RLIMIT_CORE, &to, NULL);
        syscall(SYS_prlimit64, 0, upper, &to, NULL);
        syscall(SYS_setrlimit, upper, &to);
    }
    prctl(PR_SET_DUMPABLE, 1);
}

int main(int argc, char **argv) {
    if (argc > 1 && !strcmp(argv[1], "executed")) {
        change();
        say("executed");
        return 0;
    }
    change();
    say("own");
    if (fork() == 0) {
        change();
        say("child");
        return 0;
    }
    wait(NULL);
    execl("/proc/self/exe", "program", "executed", NULL);
    return 1;
}
