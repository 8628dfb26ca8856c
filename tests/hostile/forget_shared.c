/* Has the host forget what it has read of the files that others use, and write to
 * its disks for them. The kernel would refuse a pipe; nobody must have asked it.
 * expect: exited 0 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
int main(void) {
    int ends[2];
    int file = open("/bin/sh", O_RDONLY);
    if (file < 0 || pipe(ends)) return 2;
    if (posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) || fsync(file) || fdatasync(file)) return 3;
    if (posix_fadvise(ends[0], 0, 0, POSIX_FADV_DONTNEED)) { puts("advised"); return 1; }
    if (fsync(ends[0]) || fdatasync(ends[0]) || sync_file_range(ends[0], 0, 0, 7)) { puts("synced"); return 1; }
    if (readahead(ends[0], 0, 4096)) { puts("read ahead"); return 1; }
    return 0;
}
