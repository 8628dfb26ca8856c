// Threads without end.
// expect: killed processes
// limits: memory=256
#include <thread>
#include <unistd.h>
int main() {
    for (;;) try { std::thread([] { for (;;) pause(); }).detach(); } catch (...) {}
}
