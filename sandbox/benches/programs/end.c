// Waits for its end: end spin|sleep.
#include <unistd.h>

int main(int argc, char **argv) {
  for (;;)
    if (argv[1][1] == 'l') pause();
}
