// Executes what others change, for so many seconds: the allowed script ends in 0, the forbidden
// one in 1. By a link that a process changes, by a name that a thread changes, or by one that the
// kernel changes for a process that is killed.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
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

static int be_killed_soon(void *after_us) {
  struct sigevent kill = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
  struct itimerspec soon = {.it_value.tv_nsec = 1000 * (1 + *(int *)after_us)};
  int timer;
  syscall(SYS_timer_create, CLOCK_MONOTONIC, &kill, &timer);
  syscall(SYS_timer_settime, timer, 0, &soon, NULL);
  for (;;) pause();
}

// The kernel clears a word for a process that ends: here, behind the name of the forbidden script.
static void race_with_ends(int seconds) {
  static char stack[16384] __attribute__((aligned(16)));
  static char longer[32] __attribute__((aligned(16)));
  int refused = 0, late = 0, most_us = 1000;
  for (time_t end = time(NULL) + seconds; time(NULL) < end || refused < 20 || late < 20;) {
    int status, after_us = rand() % most_us;
    strcpy(longer, FORBIDDEN "~~~~");
    pid_t ends = clone(be_killed_soon, stack + sizeof stack, CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, &after_us,
                       NULL, NULL, longer + sizeof FORBIDDEN - 1);
    pid_t child = vfork();
    if (child == 0) execute(longer);
    waitpid(child, &status, 0);
    waitpid(ends, NULL, 0);
    if (status == W_EXITCODE(1, 0)) {
      puts("forbidden");
      exit(1);
    }
    refused += status == W_EXITCODE(7, 0);
    late += status == W_EXITCODE(8, 0);
    // However fast this machine is, both must come about.
    if (refused > 2 * late + 20 && most_us < 500000) most_us += most_us / 8;
    if (late > 2 * refused + 20 && most_us > 50) most_us -= most_us / 8;
  }
  puts("refused and never executed");
}

int main(int argc, char **argv) {
  script(ALLOWED, "#!/bin/true\n");
  script(FORBIDDEN, "#!/bin/false\n");
  symlink(ALLOWED, "/tmp/race");
  if (!strcmp(argv[1], "ends")) {
    race_with_ends(atoi(argv[2]));
    return 0;
  }
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
