/* Includes secrets, so that the compiler's complaints show them.
 * expect: exited 1
 * limits: memory=256
 * policy: compiler
 * never: root:$
 * run: exec gcc -c /tmp/include_secret.c -o /dev/null */
#include "/etc/shadow"
#include "/etc/gshadow"
#include "/proc/1/environ"
#include "/proc/self/environ/../../1/environ"
