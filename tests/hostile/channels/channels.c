/* Two programs that try to speak to each other from two slots:
 *   channels NAME send      opens the channel, says "open", and keeps it until its input ends
 *   channels NAME receive   says "heard" if something of the sender's is there
 * Outside of jails every channel works, which shows that this program does. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <dirent.h>
#include <unistd.h>

#define NAME "assize-channel"

static void wait_for_end(void) {
    char c;
    puts("open");
    fflush(stdout);
    while (read(0, &c, 1) > 0) {}
}

static void answer(int heard) {
    puts(heard ? "heard" : "nothing");
    fflush(stdout);
}

static void file(int send, const char *directory) {
    char path[100];
    snprintf(path, sizeof path, "%s/" NAME, directory);
    if (!send) {
        answer(access(path, F_OK) == 0);
        return;
    }
    close(open(path, O_CREAT | O_WRONLY, 0666));
    wait_for_end();
    unlink(path);
}

static void segment(int send) {
    int id = shmget(0x4153535a, 4096, send ? IPC_CREAT | 0666 : 0);
    if (!send) {
        answer(id >= 0);
        return;
    }
    wait_for_end();
    shmctl(id, IPC_RMID, NULL);
}

static void queue(int send) {
    mqd_t queue = mq_open("/" NAME, send ? O_CREAT | O_RDWR : O_RDONLY, 0666, NULL);
    if (!send) {
        answer(queue >= 0);
        return;
    }
    wait_for_end();
    mq_unlink("/" NAME);
}

static void abstract_socket(int send) {
    struct sockaddr_un address = {AF_UNIX, "\0" NAME};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (!send) {
        answer(connect(fd, (void *)&address, sizeof address) == 0);
        return;
    }
    bind(fd, (void *)&address, sizeof address);
    listen(fd, 1);
    wait_for_end();
}

static void process_name(int send) {
    if (send) {
        prctl(PR_SET_NAME, NAME);
        wait_for_end();
        return;
    }
    int heard = 0;
    struct dirent *entry;
    DIR *proc = opendir("/proc");
    while (proc && (entry = readdir(proc))) {
        char path[300], name[32] = "";
        snprintf(path, sizeof path, "/proc/%s/comm", entry->d_name);
        FILE *file = fopen(path, "r");
        if (file && fgets(name, sizeof name, file)) heard |= !strncmp(name, NAME, strlen(NAME));
        if (file) fclose(file);
    }
    answer(heard);
}

static void keyring(int send) {
    /* The user's keyring, which every session of the user has. */
    if (!send) {
        answer(syscall(SYS_keyctl, 10 /* SEARCH */, -4, "user", NAME, 0) > 0);
        return;
    }
    long key = syscall(SYS_add_key, "user", NAME, "1", 1, -4);
    wait_for_end();
    syscall(SYS_keyctl, 3 /* REVOKE */, key);
}

static void host_name(int send) {
    char name[100] = "";
    gethostname(name, sizeof name - 1);
    if (!send) {
        answer(strcmp(name, NAME) == 0);
        return;
    }
    if (sethostname(NAME, strlen(NAME)) != 0) strcpy(name, "");
    wait_for_end();
    if (*name && sethostname(name, strlen(name)) != 0) exit(1);
}

static void lock(int send) {
    int fd = open("/usr/bin/env", O_RDONLY);
    int locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (send)
        wait_for_end();
    else
        answer(!locked);
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    int send = !strcmp(argv[2], "send");
    const char *name = argv[1];
    if (!strcmp(name, "temporary file")) file(send, "/tmp");
    else if (!strcmp(name, "shared memory file")) file(send, "/dev/shm");
    else if (!strcmp(name, "shared memory segment")) segment(send);
    else if (!strcmp(name, "message queue")) queue(send);
    else if (!strcmp(name, "abstract socket")) abstract_socket(send);
    else if (!strcmp(name, "process name")) process_name(send);
    else if (!strcmp(name, "keyring")) keyring(send);
    else if (!strcmp(name, "host name")) host_name(send);
    else if (!strcmp(name, "lock on a system file")) lock(send);
    else return 2;
    return 0;
}
