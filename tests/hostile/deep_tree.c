/* Directories in each other, deeper than any path can name, without leave to
 * enter or remove them.
 * expect: exited 0 */
#include <sys/stat.h>
#include <unistd.h>
int main(void) {
    for (int i = 0; i < 3000; i++) { mkdir("d", 0700); if (chdir("d")) break; chmod("..", 0100); }
    return 0;
}
