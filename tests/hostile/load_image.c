/* Loads a module from memory.
 * expect: killed policy init_module */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
    syscall(SYS_init_module, "\177ELF", 4, "");
    return 0;
}
