/* Leaves links, FIFOs, a socket and odd names for the host to follow. The socket is left out
 * by the filter: as one that is bound, and as one that is made like a FIFO.
 * expect: exited 0 */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
int main(void) {
    symlink("/etc/shadow", "/tmp/output");
    symlink("/proc/1/root", "/tmp/root");
    symlink("/tmp/loop", "/tmp/loop");
    mkfifo("/tmp/fifo", 0666);
    mkdir("/tmp/\n..\n", 0);
    link("/usr/bin/env", "/tmp/env");
    if (mknod("/tmp/socket", S_IFSOCK | 0666, 0) == 0) { puts("made a socket"); return 1; }
    return 0;
}
