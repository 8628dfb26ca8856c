/* Forks without end, each child again.
 * expect: killed processes */
#include <unistd.h>
int main(void) { for (;;) fork(); }
