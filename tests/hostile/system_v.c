/* Shared memory, semaphores and queues, which outlive who makes them.
 * expect: exited 0 */
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
int main(void) {
    if (shmget(42, 4096, IPC_CREAT | 0666) >= 0 || semget(42, 1, IPC_CREAT | 0666) >= 0
        || msgget(42, IPC_CREAT | 0666) >= 0 || mq_open("/hostile", O_CREAT | O_RDWR, 0666, 0) >= 0
        || shm_open("/hostile", O_CREAT | O_RDWR, 0666) >= 0)
        { puts("made something that lasts"); return 1; }
    return 0;
}
