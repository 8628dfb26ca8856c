// Touches memory for the first time: touch huge|small MIB.
#include <stdlib.h>
#include <sys/mman.h>

int main(int argc, char **argv) {
  size_t length = (size_t)atol(argv[2]) << 20;
  char *memory = mmap(0, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (madvise(memory, length, argv[1][0] == 'h' ? MADV_HUGEPAGE : MADV_NOHUGEPAGE)) return 1;
  for (size_t at = 0; at < length; at += 4096) memory[at] = 1;
  return 0;
}
