// Takes memory until there is none.
// expect: killed memory
#include <cstring>
int main() { for (;;) std::memset(new char[1 << 20], 1, 1 << 20); }
