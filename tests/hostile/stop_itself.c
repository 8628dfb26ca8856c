/* Stops itself, so that it uses no time and ends for nobody.
 * expect: killed wall
 * limits: wall=0.3 */
#include <signal.h>
int main(void) { for (;;) raise(SIGSTOP); }
