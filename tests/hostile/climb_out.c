/* Climbs out of its root by every path that leads up or around.
 * expect: exited 0 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(void) {
    const char *ways[] = {"/../../../../../..", "/proc/self/root/..", "/proc/self/cwd/../../..", "/proc/self/fd/0/..",
        "/proc/thread-self/root/..", "/dev/fd/../../../..", "/tmp/../.."};
    for (int i = 0; i < sizeof ways / sizeof *ways; i++) {
        int way = open(ways[i], O_RDONLY | O_DIRECTORY);
        if (way < 0) continue;
        const char *hosts[] = {"root", "home", "var", "sys", "boot", "etc/shadow"};
        for (int j = 0; j < 6; j++)
            if (faccessat(way, hosts[j], F_OK, 0) == 0) { printf("%s/%s\n", ways[i], hosts[j]); return 1; }
    }
    return 0;
}
