// Computes, and makes calls in between: work ROUNDS CALLS. A round takes some microseconds.
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv) {
  long rounds = atol(argv[1]), calls = atol(argv[2]), made = 0;
  unsigned value = 1;
  for (long round = 0; round < rounds; round++) {
    for (int step = 0; step < 1000; step++) value = value * 1664525u + 1013904223u;
    for (; made * rounds < calls * (round + 1); made++) syscall(SYS_kill, getpid(), 0);
  }
  return value == 0;
}
