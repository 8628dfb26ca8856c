/* Puts something else in the place of the program that it is, and crashes. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv) {
    const char *how = argv[1];
    if (!strcmp(how, "directory")) {
        /* A FIFO, behind a link on the way. */
        mkdir("/tmp/elsewhere", 0755);
        if (mkfifo("/tmp/elsewhere/program", 0644)) return 1;
        if (rename("/box/bin", "/box/old") || symlink("/tmp/elsewhere", "/box/bin")) return 2;
    } else {
        if (unlink(argv[0])) return 3;
        if (!strcmp(how, "fifo") && mkfifo(argv[0], 0644)) return 4;
        if (!strcmp(how, "link")) {
            if (mkfifo("/tmp/fifo", 0644) || symlink("/tmp/fifo", argv[0])) return 5;
        }
        if (!strcmp(how, "terminal") && symlink("/dev/stdin", argv[0])) return 6;
    }
    raise(SIGSEGV);
    return 7;
}
