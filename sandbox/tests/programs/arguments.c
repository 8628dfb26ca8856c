/* Prints its arguments and its environment, a line each. */
#include <stdio.h>
extern char **environ;

int main(int argc, char **argv) {
    for (char **at = argv; *at; at++) printf("%s\n", *at);
    for (char **at = environ; *at; at++) printf("%s\n", *at);
    return 0;
}
