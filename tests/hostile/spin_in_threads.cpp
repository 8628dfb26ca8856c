// Several threads that spin while the first one sleeps.
// expect: killed cpu
// limits: cpu=0.3
#include <thread>
#include <unistd.h>
int main() {
    for (int i = 0; i < 4; i++) std::thread([] { for (volatile int n = 0;; n++) ; }).detach();
    for (;;) pause();
}
