/* Leaves in /tmp/out what a host could stumble over. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void) {
    mkdir("/tmp/out", 0755);
    symlink("/etc/passwd", "/tmp/out/link");
    symlink("/tmp/out", "/tmp/through");
    mkfifo("/tmp/out/fifo", 0666);
    if (mknod("/tmp/out/socket", S_IFSOCK | 0666, 0)) return 1;
    mkdir("/tmp/out/directory", 0755);
    link("/etc/passwd", "/tmp/out/hard");
    system("echo good > /tmp/out/good; head -c 4096 /dev/zero > /tmp/out/large; : > /tmp/out/empty");
    system("echo secret > /tmp/out/unreadable; chmod 0 /tmp/out/unreadable");
    return 0;
}
