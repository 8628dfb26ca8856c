/* Writes into the memory of init, which is that of the stage.
 * expect: killed policy process_vm_writev */
#define _GNU_SOURCE
#include <sys/uio.h>
#include <unistd.h>
int main(void) {
    char text[] = "x";
    struct iovec from = {text, 1}, to = {(void *)0x400000, 1};
    process_vm_writev(getppid(), &from, 1, &to, 1, 0);
    return 0;
}
