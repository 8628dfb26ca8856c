/* After 23:32 it looks for a twenty-fifth hour, for ever. */
#include <stdio.h>

int main(void) {
    int hour, minute, waited = 0;
    if (scanf("%d:%d", &hour, &minute) != 2) return 1;
    volatile int now = hour * 60 + minute;
    while (now > 1412 || now / 60 / 10 != now % 10 || now / 60 % 10 != now % 60 / 10) {
        now = now < 1440 ? now + 1 : now;
        waited++;
        if (waited > 1440) waited = 1440;
    }
    printf("%d\n", waited);
    return 0;
}
