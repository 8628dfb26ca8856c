// Makes one call many times: calls KIND TIMES.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv) {
  int times = argc > 2 ? atoi(argv[2]) : 0;
  for (int i = 0; i < times; i++) switch (argv[1][0]) {
      case 'k': syscall(SYS_kill, getpid(), 0); break;
      case 'o': close(open("/usr/lib/os-release", O_RDONLY)); break;
      case 'r': open("/usr/include/stdio.h", O_RDONLY); break;
      case 'g': syscall(SYS_getppid); break;
    }
  return 0;
}
