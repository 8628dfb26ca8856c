// Executes what others change, for so many seconds: the allowed script ends in 0, the forbidden
// one in 1. By a link that a process changes, or by a name that a thread changes.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ALLOWED "/tmp/allowed"
#define FORBIDDEN "/tmp/other!!"

static char name[] = ALLOWED;

static void *change_name(void *unused) {
  for (unsigned i = 0;; i++) {
    memcpy(name, i % 2 ? FORBIDDEN : ALLOWED, sizeof name);
    if (i % 7 < 3) sched_yield();
  }
}

static void change_link(void) {
  for (;;) {
    symlink(ALLOWED, "/tmp/new");
    rename("/tmp/new", "/tmp/race");
    symlink(FORBIDDEN, "/tmp/new");
    rename("/tmp/new", "/tmp/race");
  }
}

static void script(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CREAT, 0755);
  write(fd, text, strlen(text));
  close(fd);
}

static void *execute(void *path) {
  execl(path, path, NULL);
  _exit(errno == EACCES ? 7 : 8);
}

// Who executes has threads besides, or shares its memory with one that changes the name.
static pid_t start(int by_name, int threads) {
  if (by_name) {
    pid_t child = vfork();
    if (child == 0) execute(name);
    return child;
  }
  pid_t child = fork();
  if (child == 0) {
    pthread_t thread;
    if (!threads) execute("/tmp/race");
    pthread_create(&thread, NULL, execute, "/tmp/race");
    for (;;) usleep(100);
  }
  return child;
}

int main(int argc, char **argv) {
  script(ALLOWED, "#!/bin/true\n");
  script(FORBIDDEN, "#!/bin/false\n");
  symlink(ALLOWED, "/tmp/race");
  int by_name = !strcmp(argv[1], "name"), executed = 0, refused = 0;
  pthread_t thread;
  if (by_name)
    pthread_create(&thread, NULL, change_name, NULL);
  else if (fork() == 0)
    change_link();
  for (time_t end = time(NULL) + atoi(argv[2]); time(NULL) < end || executed < 20 || refused < 20;) {
    int status;
    waitpid(start(by_name, (executed + refused) % 2), &status, 0);
    if (status == W_EXITCODE(1, 0)) {
      puts("forbidden");
      exit(1);
    }
    executed += status == 0;
    refused += status == W_EXITCODE(7, 0);
  }
  puts("executed and refused");
  _exit(fflush(stdout));
}
