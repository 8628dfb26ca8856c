/* Does one thing that its argument names; the exit code is the error number. */
#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int result(int done) { return done < 0 ? errno : 0; }

int main(int argc, char **argv) {
    const char *what = argv[1];
    if (!strcmp(what, "open")) {
        int flags = 0;
        for (const char *letter = argv[3]; *letter; letter++) {
            if (*letter == 'w') flags |= O_WRONLY;
            if (*letter == 'b') flags |= O_RDWR;
            if (*letter == 't') flags |= O_TRUNC;
            if (*letter == 'c') flags |= O_CREAT;
        }
        return result(open(argv[2], flags, 0600));
    }
    if (!strcmp(what, "entropy")) {
        int bits;
        return result(ioctl(open("/dev/urandom", O_RDONLY), RNDGETENTCNT, &bits));
    }
    if (!strcmp(what, "files")) {
        if (mkdir("/tmp/a", 0700) || mkdir("/tmp/b", 0700)) return errno;
        if (result(open("/tmp/a/x", O_CREAT | O_RDWR | O_TRUNC, 0700))) return errno;
        if (truncate("/tmp/a/x", 100)) return errno;
        if (rename("/tmp/a/x", "/tmp/b/x") || rename("/tmp/b", "/tmp/a/b")) return errno;
        if (link("/tmp/a/b/x", "/tmp/y") || symlink("/tmp/y", "/tmp/z")) return errno;
        if (mkfifo("/tmp/f", 0600) || unlink("/tmp/f")) return errno;
        return result(unlink("/tmp/a/b/x") || rmdir("/tmp/a/b"));
    }
    return 255;
}
