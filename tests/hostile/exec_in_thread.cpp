// Executes another program from a thread while others run, so that the thread
// takes the number of the first one.
// expect: exited 0
#include <thread>
#include <unistd.h>
int main() {
    for (int i = 0; i < 3; i++) std::thread([] { for (;;) pause(); }).detach();
    std::thread([] { execl("/bin/true", "true", nullptr); }).join();
    return 1;
}
