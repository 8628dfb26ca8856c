/* Arguments as large as the kernel takes them, held by the kernel meanwhile.
 * expect: exited 0 or killed memory */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(void) {
    char *arguments[64] = {"true"};
    for (int i = 1; i < 63; i++) { arguments[i] = malloc(120000); memset(arguments[i], 'x', 119999); arguments[i][119999] = 0; }
    execv("/bin/true", arguments);
    return 0;
}
