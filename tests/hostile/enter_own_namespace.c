/* Enters its own user namespace anew, which would give it all capabilities there.
 * expect: killed policy setns */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>
int main(void) {
    int own = open("/proc/self/ns/user", O_RDONLY);
    if (own < 0) return 1;
    setns(own, CLONE_NEWUSER);
    return 0;
}
