/* Ends as if the filter had killed it, which only says of itself what is not
 * true: the verdict is against it either way.
 * expect: signalled 31 or killed policy */
#include <signal.h>
int main(void) { raise(SIGSYS); return 0; }
