// Lets the compiler compute for ever.
// expect: exited 1 or killed cpu or killed memory
// limits: memory=256 cpu=1
// policy: compiler
// run: exec g++ -std=c++20 -fconstexpr-ops-limit=9000000000000 -fconstexpr-loop-limit=2000000000 -c /tmp/endless_constant.cpp -o /dev/null
constexpr long endless() { long n = 1; while (n) n = n * 3 + 1 | 1; return n; }
constinit long value = endless();
int main() {}
