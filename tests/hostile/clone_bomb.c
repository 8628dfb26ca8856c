/* Clones that share memory, files and parent, so that init gets them all.
 * expect: killed processes */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>
static int wait_for_ever(void *unused) { for (;;) pause(); }
int main(void) {
    for (;;) {
        char *stack = mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        clone(wait_for_ever, stack + 65536, CLONE_VM | CLONE_FILES | CLONE_FS | CLONE_PARENT, 0);
    }
}
