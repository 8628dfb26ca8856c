// The first thread ends, the others go on: a zombie that is not dead.
// expect: killed wall
// limits: wall=0.3
#include <pthread.h>
#include <thread>
#include <unistd.h>
int main() {
    std::thread([] { for (;;) pause(); }).detach();
    pthread_exit(nullptr);
}
