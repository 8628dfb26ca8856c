/* Lets a child make the forbidden call and goes on without it.
 * expect: killed policy socket */
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
    if (fork() == 0) { socket(AF_INET, SOCK_STREAM, 0); _exit(0); }
    wait(0);
    return 0;
}
