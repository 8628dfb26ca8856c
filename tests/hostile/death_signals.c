/* Dies of every signal there is in threads and children at once, while memory
 * runs out.
 * expect: killed memory or killed processes
 * limits: processes=64 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(void) {
    for (int s = 1; s < 32; s++)
        if (fork() == 0) { memset(malloc(4 << 20), s, 4 << 20); raise(s); for (;;) pause(); }
    for (;;) memset(malloc(1 << 20), 1, 1 << 20);
}
