/* Takes the next truck as soon as a parcel does not fit into this one. */
#include <stdio.h>

int main(void) {
    int count, weight, truck = 1, load = 0;
    if (scanf("%d", &count) != 1) return 1;
    while (count-- > 0 && scanf("%d", &weight) == 1) {
        if (load + weight > 100) {
            load = 0;
            truck++;
        }
        load += weight;
        printf("%d ", truck);
    }
    puts("");
}
