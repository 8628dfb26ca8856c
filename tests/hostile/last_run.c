/* Looks for what the last run left, and leaves something for the next: the
 * ordinary run after it must not see it.
 * expect: exited 0 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
int main(void) {
    struct dirent *entry;
    DIR *tmp = opendir("/tmp");
    while ((entry = readdir(tmp))) if (entry->d_name[0] != '.') { puts(entry->d_name); return 1; }
    chmod("/tmp", 01777);
    creat("/tmp/for the next", 0666);
    return 0;
}
