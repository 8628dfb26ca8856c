/* Asks for a signal whenever somebody reads in the directories that it shares with
 * the host and other slots.
 * expect: exited 0
 * never: watching */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
int main(void) {
    int folder = open("/usr/bin", O_RDONLY | O_DIRECTORY), file = open("/bin/sh", O_RDONLY);
    if (folder < 0 || file < 0) return 2;
    if (fcntl(folder, F_NOTIFY, DN_ACCESS | DN_MULTISHOT) == 0) puts("watching a directory");
    if (fcntl(file, F_SETLEASE, F_RDLCK) == 0) puts("watching a file");
    return 0;
}
