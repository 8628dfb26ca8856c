/* Includes itself, twice each time.
 * expect: exited 1 or killed cpu or killed memory or killed output
 * limits: memory=256 cpu=2
 * policy: compiler
 * run: exec gcc -c -fmax-include-depth=100000 /tmp/include_itself.c -o /dev/null */
#include "include_itself.c"
#include "include_itself.c"
