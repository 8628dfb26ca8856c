/* Includes a file without an end.
 * expect: exited 1 or killed memory or killed cpu
 * limits: memory=128 cpu=2
 * policy: compiler
 * run: exec gcc -c /tmp/include_zero.c -o /dev/null */
#include "/dev/zero"
