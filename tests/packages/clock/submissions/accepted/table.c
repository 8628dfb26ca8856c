#include <stdio.h>

int main(void) {
    static const int mirrored[] = {0,   70,  140, 210, 280, 350,  601,  671,  741,
                                   811, 881, 951, 1202, 1272, 1342, 1412, 1440};
    int hour, minute, i = 0;
    if (scanf("%d:%d", &hour, &minute) != 2) return 1;
    while (mirrored[i] < hour * 60 + minute) i++;
    printf("%d\n", mirrored[i] - hour * 60 - minute);
    return 0;
}
