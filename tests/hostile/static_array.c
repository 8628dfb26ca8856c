/* A static array of which it uses all.
 * expect: killed memory */
static char array[128 << 20];
int main(void) {
    for (long i = 0; i < sizeof array; i += 4096) ((volatile char *)array)[i] = 1;
    return 0;
}
