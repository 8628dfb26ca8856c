// What accepted solutions look like: reads many numbers by a buffer of its own, sorts them, and prints their sums.
#include <algorithm>
#include <cstdio>
#include <vector>

static int next() {
  static char buffer[1 << 16];
  static size_t at, end;
  int value = 0;
  for (;;) {
    if (at == end) {
      end = fread(buffer, 1, sizeof buffer, stdin), at = 0;
      if (end == 0) return value;
    }
    char digit = buffer[at++];
    if (digit < '0') return value;
    value = value * 10 + digit - '0';
  }
}

int main() {
  int count = next();
  std::vector<int> numbers(count);
  for (int &number : numbers) number = next();
  std::sort(numbers.begin(), numbers.end());
  long long sum = 0;
  for (int number : numbers) printf("%lld\n", sum += number);
}
