/* Looks for the host in its environment and in what the kernel hands to a new
 * program.
 * expect: exited 0
 * never: / */
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/utsname.h>
extern char **environ;
int main(void) {
    for (char **one = environ; *one; one++)
        if (strncmp(*one, "PATH=", 5)) { puts(*one); return 1; }
    struct utsname names;
    uname(&names);
    if (strcmp(names.nodename, "jail") || strcmp(names.__domainname, "(none)")) { puts(names.nodename); return 1; }
    if (strncmp((char *)getauxval(AT_EXECFN), "/dev/fd/", 8)) { puts((char *)getauxval(AT_EXECFN)); return 1; }
    return getauxval(AT_SECURE);
}
