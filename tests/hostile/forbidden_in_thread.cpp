// Makes the forbidden call in a thread.
// expect: killed policy socket
#include <sys/socket.h>
#include <thread>
int main() { std::thread([] { socket(AF_INET, SOCK_STREAM, 0); }).join(); }
