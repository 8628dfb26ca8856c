#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char found[100][32];

static int by_name(const void* one, const void* other) { return strcmp(one, other); }

int main(int argc, char** argv) {
    FILE* places = fopen("places.txt", "r");
    int nth, count = 0;
    if (argc != 2 || !places || scanf("%d", &nth) != 1) return 1;
    while (fscanf(places, "%31s", found[count]) == 1)
        if (strncmp(found[count], argv[1], strlen(argv[1])) == 0) count++;
    qsort(found, (size_t)count, sizeof found[0], by_name);
    printf("%d\n%s\n", count, nth <= count ? found[nth - 1] : "-");
}
