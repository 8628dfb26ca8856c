/* Becomes itself again and again.
 * expect: killed cpu
 * limits: cpu=0.3 wall=10 */
#include <unistd.h>
int main(void) { execl("/proc/self/exe", "attack", 0); return 1; }
