/* Waits for the other end of a FIFO that only the host could open.
 * expect: killed wall
 * limits: wall=0.3 */
#include <fcntl.h>
#include <sys/stat.h>
int main(void) {
    mkfifo("/tmp/fifo", 0666);
    open("/tmp/fifo", O_RDONLY);
    return 0;
}
