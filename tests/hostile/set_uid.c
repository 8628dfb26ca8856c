/* Gives its file the bits that make others somebody else, and runs whatever has
 * such bits.
 * expect: exited 0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
int main(void) {
    system("cp /usr/bin/id /tmp/id; chmod 6755 /tmp/id; /tmp/id -u > /tmp/who");
    FILE *who = fopen("/tmp/who", "r");
    int user = 0;
    if (!who || fscanf(who, "%d", &user) != 1 || user != 1000) { printf("user %d\n", user); return 1; }
    if (chown("/tmp/id", 0, 0) == 0) { puts("root's file"); return 1; }
    if (setuid(0) == 0 || setgid(0) == 0 || seteuid(0) == 0) { puts("root"); return 1; }
    system("for tool in mount umount; do /usr/bin/$tool </dev/null >/dev/null 2>&1; done");
    return 0;
}
