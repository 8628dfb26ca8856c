/* Tries to make, change and remove files outside /tmp.
 * expect: exited 0 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
int main(void) {
    const char *places[] = {"/", "/etc", "/usr", "/usr/bin", "/usr/lib", "/dev", "/dev/shm", "/proc", "/proc/self",
        "/proc/1", "/var/tmp", "/run", "/root", "/home", "/sys", "/sys/fs/cgroup", "/dev/mqueue", "/bin", "/lib"};
    char name[64];
    for (int i = 0; i < sizeof places / sizeof *places; i++) {
        sprintf(name, "%s/hostile", places[i]);
        if (open(name, O_CREAT | O_WRONLY, 0600) >= 0 || mkdir(name, 0700) == 0 || symlink("/", name) == 0
            || mkfifo(name, 0600) == 0 || link("/etc/passwd", name) == 0 || chmod(places[i], 0777) == 0)
            { printf("wrote in %s\n", places[i]); return 1; }
    }
    if (unlink("/etc/passwd") == 0 || rename("/etc/group", "/etc/passwd") == 0 || truncate("/etc/group", 0) == 0)
        { puts("changed /etc"); return 1; }
    return 0;
}
