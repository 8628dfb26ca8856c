/* Ends as if a filter had killed it, to be taken for an attack by mistake.
 * expect: signalled 31 */
#include <signal.h>
int main(void) { raise(SIGSYS); return 0; }
