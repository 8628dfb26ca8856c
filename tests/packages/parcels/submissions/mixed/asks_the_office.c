/* @EXPECTED_RESULTS@: SECURITY-VIOLATION
   Would have the packing done elsewhere: there is no network, and asking for one is a reason to look. */
#include <stdio.h>
#include <sys/socket.h>

int main(void) {
    if (socket(AF_INET, SOCK_STREAM, 0) < 0) return 0;
    puts("1");
}
