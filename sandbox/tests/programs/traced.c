// What programs do that a tracer must follow: one subcommand each.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void touch_files(int times) {
  for (int i = 0; times < 0 || i < times; i++) {
    int fd = open("/etc/passwd", O_RDONLY);
    if (fd < 0) _exit(90);
    close(fd);
  }
}

static void *touch_thread(void *times) {
  touch_files((long)times);
  return NULL;
}

static void start_threads(pthread_t *threads, int count, long times) {
  for (int i = 0; i < count; i++)
    if (pthread_create(&threads[i], NULL, touch_thread, (void *)times)) exit(91);
}

static void threads(void) {
  pthread_t all[8];
  start_threads(all, 8, 50);
  for (int i = 0; i < 8; i++) pthread_join(all[i], NULL);
  puts("joined");
}

static void forks(void) {
  int sum = 0;
  for (int i = 0; i < 4; i++) {
    pid_t child = fork();
    if (child == 0) {
      touch_files(10);
      _exit(i + 1);
    }
    int status;
    waitpid(child, &status, 0);
    sum += WEXITSTATUS(status);
  }
  printf("sum %d\n", sum);
}

static void vforks(void) {
  for (int i = 0; i < 4; i++) {
    pid_t child = vfork();
    if (child == 0) {
      execl("/bin/true", "true", NULL);
      _exit(92);
    }
    int status;
    waitpid(child, &status, 0);
    printf("%d\n", status);
  }
}

static void *exec_thread(void *unused) {
  execl("/bin/echo", "echo", "executed", NULL);
  exit(93);
}

static void exec_from_thread(void) {
  pthread_t all[4], executor;
  start_threads(all, 4, -1);
  pthread_create(&executor, NULL, exec_thread, NULL);
  for (;;) pause();
}

static volatile sig_atomic_t seen[65];
static void note(int number) { seen[number]++; }

static void signals(void) {
  int numbers[] = {SIGUSR1, SIGRTMIN + 1, SIGALRM, SIGTRAP, SIGTERM};
  for (int i = 0; i < 5; i++) signal(numbers[i], note);
  raise(SIGUSR1);
  kill(getpid(), SIGRTMIN + 1);
  raise(SIGTRAP);
  raise(SIGTERM);
  struct itimerval timer = {.it_value = {.tv_usec = 1000}};
  setitimer(ITIMER_REAL, &timer, NULL);
  while (!seen[SIGALRM]) touch_files(1);
  for (int i = 0; i < 5; i++) printf("%d\n", seen[numbers[i]]);
}

static void stops(void) {
  pid_t child = fork();
  if (child == 0) {
    raise(SIGSTOP);
    touch_files(3);
    raise(SIGSTOP);
    _exit(7);
  }
  int status;
  for (int i = 0; i < 2; i++) {
    waitpid(child, &status, WUNTRACED);
    printf("stopped %d by %d\n", WIFSTOPPED(status), WSTOPSIG(status));
    kill(child, SIGCONT);
  }
  waitpid(child, &status, 0);
  printf("exited %d\n", WEXITSTATUS(status));
}

static void stopped_threads(void) {
  pid_t child = fork();
  if (child == 0) {
    pthread_t all[4];
    start_threads(all, 4, -1);
    for (;;) pause();
  }
  int status;
  for (int i = 0; i < 20; i++) {
    kill(child, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    if (!WIFSTOPPED(status)) exit(94);
    kill(child, SIGCONT);
    waitpid(child, &status, WCONTINUED);
    if (!WIFCONTINUED(status)) exit(95);
  }
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  printf("killed by %d\n", WTERMSIG(status));
}

static void denied(void) {
  long result = socket(AF_UNIX, SOCK_STREAM, 0);
  printf("socket %d\n", result < 0 ? errno : 0);
  result = syscall(SYS_clone3, NULL, 0);
  printf("clone3 %d\n", result < 0 ? errno : 0);
  result = setuid(0);
  printf("setuid %d\n", result < 0 ? errno : 0);
  result = syscall(9999);
  printf("9999 %d\n", result < 0 ? errno : 0);
  result = syscall(-1);
  printf("-1 %d\n", result < 0 ? errno : 0);
}

static void deny_for_ever(void) {
  for (int i = 0; i < 10000; i++) socket(AF_UNIX, SOCK_STREAM, 0);
  for (int i = 0; i < 10000; i++) syscall(5000 + i);
}

static void forbidden(void) {
  socket(AF_INET, SOCK_STREAM, 0);
  puts("went on");
}

static void connects(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(80)};
  address.sin_addr.s_addr = htonl(0x0a000007);
  connect(0, (struct sockaddr *)&address, sizeof address);
  puts("went on");
}

static void sends(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/docker.sock"};
  sendto(0, "", 1, 0, (struct sockaddr *)&address, sizeof address);
  puts("went on");
}

// By a pair, which needs no address, but takes one.
static void sends_message(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/docker.sock"};
  struct iovec word = {"x", 1};
  struct msghdr message = {
      .msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &word, .msg_iovlen = 1};
  int ends[2];
  socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
  printf("message %d\n", (int)sendmsg(ends[0], &message, 0));
}

static void *forbidden_thread(void *unused) {
  forbidden();
  return NULL;
}

static void forbidden_in_thread(void) {
  pthread_t all[4], thread;
  start_threads(all, 4, -1);
  pthread_create(&thread, NULL, forbidden_thread, NULL);
  for (;;) pause();
}

static void forbidden_in_child(void) {
  if (fork() == 0) forbidden();
  for (;;) pause();
}

static void forbidden_untraced(void) {
  long child = syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0);
  if (child == 0) {
    touch_files(1);
    forbidden();
  }
  for (;;) pause();
}

static void forbidden_by_many(void) {
  pthread_t thread;
  for (int i = 0; i < 8; i++) pthread_create(&thread, NULL, forbidden_thread, NULL);
  for (;;) pause();
}

// Each is gone sooner or later: before its call, at it, or after.
static void forbidden_and_killed(void) {
  for (int i = 0; i < 300; i++) {
    pid_t child = fork();
    if (child == 0) forbidden();
    for (volatile int spin = 0; spin < i * 1000; spin++);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
  }
}

// The call can be interrupted while it waits, but not made.
static void forbidden_and_interrupted(void) {
  struct sigaction action = {.sa_handler = note};
  sigaction(SIGALRM, &action, NULL);
  struct itimerval timer = {.it_value = {.tv_usec = 100}, .it_interval = {.tv_usec = 100}};
  setitimer(ITIMER_REAL, &timer, NULL);
  while (socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EINTR);
  puts("went on");
}

static void forbidden_at_the_end(void) {
  if (fork() == 0) forbidden();
  for (volatile int spin = 0; spin < rand() % 20000; spin++);
  _exit(0);
}

static void i386(void) {
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory");
  printf("went on with %ld\n", result);
}

static void x32(void) {
  syscall(0x40000000 + SYS_getpid);
  puts("went on");
}

// Newer filters win among those that say "trace".
static void own_filter(void) {
  struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE)};
  struct sock_fprog program = {1, code};
  prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
  forbidden();
}

static void *exit_later(void *unused) {
  usleep(1000);
  touch_files(3);
  exit(5);
}

static void main_thread_ends_first(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, exit_later, NULL);
  pthread_exit(NULL);
}

static void exit_race(void) {
  pthread_t all[6];
  start_threads(all, 6, -1);
  if (fork() == 0) touch_files(-1);
  touch_files(rand() % 20);
  _exit(3);
}

// The first of seven ends it after a while.
static void turns(void) {
  pthread_t all[6];
  start_threads(all, 6, -1);
  touch_files(300);
  _exit(0);
}

static void kill_race(void) {
  for (int i = 0; i < 300; i++) {
    pid_t child = fork();
    if (child == 0) touch_files(-1);
    for (volatile int spin = 0; spin < i * 100; spin++);
    kill(child, SIGKILL);
    int status;
    waitpid(child, &status, 0);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) exit(96);
  }
  puts("all killed");
}

static void orphans(void) {
  for (int i = 0; i < 3; i++)
    if (fork() == 0) {
      setsid();
      if (fork() == 0) touch_files(-1);
      _exit(0);
    }
  while (wait(NULL) > 0);
}

static void many_files(void) { touch_files(20000); }
/* What was given behind the name of the command. */
static int argument;

/* As much work whatever the argument, with so many calls on the way. */
static void compute_and_call(void) {
  int calls = argument;
  for (int call = 0; call <= calls; call++) {
    kill(getpid(), 0);
    for (volatile int step = 0; step < 300 * 1000 * 1000 / (calls + 1); step++) ;
  }
}
static void nothing(int number) {}

/* A signal by each step, and no call but the return from its handler. */
static void traps(void) {
  signal(SIGTRAP, nothing);
  for (int i = 0; i < argument; i++) __asm__ volatile("int3");
}

/* One read that signals interrupt and that is made again after each. */
static void read_again(void) {
  int ends[2];
  char byte;
  pipe(ends);
  struct sigaction action = {.sa_handler = nothing, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < argument; i++) {
      usleep(2000);
      kill(getppid(), SIGUSR1);
    }
    usleep(2000);
    write(ends[1], "x", 1);
    _exit(0);
  }
  printf("read %d\n", (int)read(ends[0], &byte, 1));
  wait(NULL);
  fflush(stdout);
  read(ends[0], &byte, 0);
  puts("again");
}

// The page of old programs, at its fixed address: a call there has one stop only. Not every
// kernel has it.
static void time_by_page(void) {
  time_t (*time_there)(time_t *) = (void *)0xffffffffff600400;
  int status;
  if (fork() == 0) {
    time_there(NULL);
    _exit(0);
  }
  wait(&status);
  if (WIFSIGNALED(status)) {
    puts("no page");
    return;
  }
  for (int i = 0; i < 3; i++) {
    if (time_there(NULL) < 1000 || time_there(NULL) < 1000) exit(96);
    touch_files(1);
  }
  time_there(NULL);
  puts("told");
}

static void for_ever(void) { touch_files(-1); }
static void crash(void) { *(volatile int *)0 = 0; }
static void child_crash(void) {
  if (fork() == 0) abort();
  int status;
  wait(&status);
  printf("aborted by %d\n", WTERMSIG(status));
}

#define COMMAND(name) {#name, name}
static const struct {
  const char *name;
  void (*run)(void);
} commands[] = {
    COMMAND(threads), COMMAND(forks), COMMAND(vforks), COMMAND(exec_from_thread), COMMAND(signals),
    COMMAND(stops), COMMAND(stopped_threads), COMMAND(denied), COMMAND(deny_for_ever),
    COMMAND(connects), COMMAND(sends), COMMAND(sends_message), COMMAND(forbidden), COMMAND(forbidden_in_thread), COMMAND(forbidden_in_child),
    COMMAND(forbidden_untraced), COMMAND(forbidden_by_many), COMMAND(forbidden_and_killed),
    COMMAND(forbidden_and_interrupted), COMMAND(forbidden_at_the_end), COMMAND(i386), COMMAND(x32), COMMAND(own_filter),
    COMMAND(main_thread_ends_first), COMMAND(exit_race), COMMAND(turns), COMMAND(kill_race), COMMAND(orphans),
    COMMAND(many_files), COMMAND(compute_and_call), COMMAND(traps),
    COMMAND(read_again), COMMAND(time_by_page), COMMAND(for_ever), COMMAND(crash), COMMAND(abort), COMMAND(child_crash),
};

int main(int argc, char **argv) {
  argument = argc > 2 ? atoi(argv[2]) : 0;
  srand(argument);
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
    if (argc > 1 && !strcmp(argv[1], commands[i].name)) {
      commands[i].run();
      return 0;
    }
  fprintf(stderr, "no such subcommand\n");
  return 99;
}
