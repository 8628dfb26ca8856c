/* Reads all of the system's libraries by maps, to be charged for none of it or
 * to push others' pages out.
 * expect: exited 0 or killed memory or killed cpu
 * limits: memory=16 cpu=2 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
int main(void) {
    struct dirent *entry;
    DIR *folder = opendir("/usr/bin");
    long read_ = 0;
    while ((entry = readdir(folder)) && read_ < 200 << 20) {
        char name[300];
        struct stat about;
        snprintf(name, sizeof name, "/usr/bin/%s", entry->d_name);
        int file = open(name, O_RDONLY);
        if (file < 0 || fstat(file, &about) || !S_ISREG(about.st_mode)) { close(file); continue; }
        char *map = mmap(0, about.st_size, PROT_READ, MAP_PRIVATE, file, 0);
        if (map != MAP_FAILED)
            for (long at = 0; at < about.st_size; at += 4096) read_ += 4096 + (((volatile char *)map)[at] & 0);
        close(file);
    }
    return 0;
}
