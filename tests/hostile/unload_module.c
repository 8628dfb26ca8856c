/* Takes the module of the network's filters away.
 * expect: killed policy delete_module */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
    syscall(SYS_delete_module, "nf_tables", O_NONBLOCK);
    return 0;
}
