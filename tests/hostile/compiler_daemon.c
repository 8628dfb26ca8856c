/* A compiler started with a wrapper that is the attack: a daemon, files for the
 * next compilation, a compiler in the compiler's place.
 * expect: exited 0
 * limits: memory=256
 * policy: compiler
 * run: printf '#!/bin/sh\n(setsid sleep 1000 &) \ncp /tmp/w /usr/bin/gcc 2>/dev/null && exit 9\nexec "$@"\n' > /tmp/w; chmod +x /tmp/w; exec gcc -wrapper /tmp/w -c /tmp/compiler_daemon.c -o /tmp/out */
int main(void) { return 0; }
