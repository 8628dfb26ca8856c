/* Memory that belongs to no process alone: shared maps that a child fills.
 * expect: killed memory */
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
    char *map = mmap(0, 256 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (fork() == 0) { memset(map, 1, 256 << 20); _exit(0); }
    wait(0);
    for (;;) pause();
}
