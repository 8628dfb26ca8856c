/* Every process stands still for its child, which does the same.
 * expect: killed processes */
#include <unistd.h>
int main(void) {
    while (vfork() >= 0) ;
    for (;;) pause();
}
