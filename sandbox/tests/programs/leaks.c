/* Tells what of the host can be seen from here. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

extern char **environ;

static const char *name_of(const char *link, char *name) {
    int length = readlink(link, name, 4095);
    name[length < 0 ? 0 : length] = 0;
    return name;
}

int main(void) {
    char name[4096], text[100];
    printf("exe %s\n", name_of("/proc/self/exe", name));
    printf("executed as %s\n", (char *)getauxval(AT_EXECFN));
    int count = 0;
    while (environ[count]) count++;
    printf("environment %d\n", count);
    int length = read(0, text, sizeof text - 1);
    text[length < 0 ? 0 : length] = 0;
    printf("input %s %s\n", name_of("/proc/self/fd/0", name), text);
    FILE *maps = fopen("/proc/self/maps", "r");
    while (fgets(name, sizeof name, maps)) fputs(name, stdout);
    return 0;
}
