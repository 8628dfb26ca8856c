/* Includes what waits for a writer who never comes.
 * expect: exited 1 or killed wall
 * limits: memory=256 wall=1
 * policy: compiler
 * run: mkfifo /tmp/fifo; exec gcc -c /tmp/include_stdin.c -o /dev/null */
#include "/tmp/fifo"
