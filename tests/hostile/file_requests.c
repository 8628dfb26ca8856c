/* Asks file systems and disks of the host what they are, by requests on the shared files.
 * expect: exited 0 */
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
int main(void) {
    char answer[256] = {0};
    struct fiemap map = {.fm_length = ~0UL};
    int file = open("/usr/bin/env", O_RDONLY);
    unsigned long requests[] = {FS_IOC_GETFLAGS, FS_IOC_GETVERSION, 0x81009431 /* label */, 0x80111500 /* uuid */,
        0x80811501 /* path in sysfs */, FIGETBSZ};
    for (int i = 0; i < 6; i++)
        if (ioctl(file, requests[i], answer) == 0) { printf("request %d\n", i); return 1; }
    if (ioctl(file, FS_IOC_FIEMAP, &map) == 0) { puts("blocks"); return 1; }
    int waiting;
    return ioctl(file, FIONREAD, &waiting) == 0 ? 0 : 2;
}
