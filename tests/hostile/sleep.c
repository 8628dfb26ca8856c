/* Sleeps through its time.
 * expect: killed wall
 * limits: wall=0.3 */
#include <unistd.h>
int main(void) { for (;;) sleep(1000); }
