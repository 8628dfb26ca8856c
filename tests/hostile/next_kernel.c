/* Has another kernel ready for the next start of the host.
 * expect: killed policy kexec_file_load */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
    int kernel = open("/proc/self/exe", O_RDONLY);
    syscall(SYS_kexec_file_load, kernel, -1, 1, "", 4 /* KEXEC_FILE_NO_INITRAMFS */);
    return 0;
}
