/* Recurses without end; its stack may be as large as its memory.
 * expect: killed memory or signalled 11 */
static int deeper(volatile int depth) {
    volatile char frame[4096];
    frame[depth % 4096] = 1;
    return deeper(depth + 1) + frame[0];
}
int main(void) { return deeper(0); }
