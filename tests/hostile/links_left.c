/* Leaves links, FIFOs, sockets and odd names for the host to follow.
 * expect: exited 0 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
int main(void) {
    symlink("/etc/shadow", "/tmp/output");
    symlink("/proc/1/root", "/tmp/root");
    symlink("/tmp/loop", "/tmp/loop");
    mkfifo("/tmp/fifo", 0666);
    mkdir("/tmp/\n..\n", 0);
    link("/usr/bin/env", "/tmp/env");
    return 0;
}
