// Leaves something for the next run in a directory of its own, in the way
// that is named; ends with 0 if that was possible.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

int main(int argc, char **argv) {
    const char *way = argv[1], *place = argv[2];
    char path[256];
    snprintf(path, sizeof path, "%s/file", place);
    if (!strcmp(way, "nothing"))
        return 0;
    if (!strcmp(way, "look"))
        return open(place, O_RDONLY) < 0;
    if (!strcmp(way, "file"))
        return creat(path, 0644) < 0;
    if (!strcmp(way, "removed"))
        return creat(path, 0644) < 0 || unlink(path);
    if (!strcmp(way, "nameless"))
        return open(place, O_TMPFILE | O_WRONLY, 0600) < 0;
    if (!strcmp(way, "mode"))
        return chmod(place, 0700) || chmod(place, 0755);
    if (!strcmp(way, "times")) {
        struct timespec times[2] = {{1, 2}, {3, 4}};
        return utimensat(AT_FDCWD, place, times, 0);
    }
    if (!strcmp(way, "link"))
        return symlink("x", path);
    if (!strcmp(way, "attribute"))
        return setxattr(place, "user.message", "x", 1, 0);
    if (!strcmp(way, "flags")) {
        int directory = open(place, O_RDONLY), flags = 0;
        if (ioctl(directory, FS_IOC_GETFLAGS, &flags))
            return 1;
        flags |= FS_NODUMP_FL;
        return ioctl(directory, FS_IOC_SETFLAGS, &flags) != 0;
    }
    return 2;
}
