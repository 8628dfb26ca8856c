/* A macro of a few lines that becomes more than any memory.
 * expect: killed memory or killed cpu
 * limits: memory=128 cpu=2
 * policy: compiler
 * run: exec gcc -E /tmp/macro_bomb.c -o /dev/null */
#define A(x) x x x x x x x x x x
#define B(x) A(A(A(A(x))))
#define C(x) B(B(x))
C(C(int))
