/* Signals to another slot by a lock on a file that both see. It ends with its
 * process at the latest.
 * expect: exited 0 */
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
int main(void) {
    flock(open("/usr/bin/env", O_RDONLY), LOCK_EX | LOCK_NB);
    struct flock lock = {F_RDLCK, SEEK_SET};
    fcntl(open("/usr/bin/env", O_RDONLY), F_SETLK, &lock);
    return 0;
}
