// Moves bytes: bytes read (all of standard input), bytes write MIB (to standard output), bytes file MIB (to ./file).
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char block[1 << 16];

int main(int argc, char **argv) {
  if (argv[1][0] == 'r') {
    ssize_t got;
    while ((got = read(0, block, sizeof block)) > 0);
    return got < 0;
  }
  int to = argv[1][0] == 'f' ? open("file", O_CREAT | O_WRONLY, 0600) : 1;
  memset(block, 'x', sizeof block);
  for (size_t left = atol(argv[2]) << 20; left > 0;) {
    ssize_t put = write(to, block, left < sizeof block ? left : sizeof block);
    if (put <= 0) return 1;
    left -= put;
  }
  return 0;
}
