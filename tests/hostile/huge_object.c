/* A few lines that become a huge object file.
 * expect: exited 1 or exited 4 or killed output or killed memory
 * limits: memory=128 cpu=5
 * policy: compiler
 * run: exec gcc /tmp/huge_object.c -o /tmp/out */
char array[1L << 33] = {1};
int main(void) { return 0; }
