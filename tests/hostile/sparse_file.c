/* A file that looks much larger than it is.
 * expect: killed output */
#include <fcntl.h>
#include <unistd.h>
int main(void) {
    int file = open("/tmp/file", O_CREAT | O_WRONLY, 0600);
    ftruncate(file, 1L << 40);
    return 0;
}
