// The least that a traced call costs: a filter that says RET_TRACE, and a tracer that looks at each stop with
// GET_SYSCALL_INFO and lets the call be made. Prints nanoseconds per call: bare KIND CALLS.
//
// Kinds: `kill`; `open`, an open and a close, with the path read and a second stop for the result.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void child(int opens, int calls) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, opens ? SYS_openat : SYS_kill, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {4, filter};
  raise(SIGSTOP);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) _exit(1);
  for (int i = 0; i < calls; i++) {
    if (opens)
      close(open("/usr/lib/os-release", O_RDONLY));
    else
      syscall(SYS_kill, 1, 0);
  }
  _exit(0);
}

static void read_path(pid_t pid, void *address) {
  char path[20];
  struct iovec here = {path, sizeof path}, there = {address, sizeof path};
  process_vm_readv(pid, &here, 1, &there, 1, 0);
}

int main(int argc, char **argv) {
  int opens = argv[1][0] == 'o', calls = atoi(argv[2]), status;
  // A signal for each stop would only be worked out to be ignored.
  struct sigaction no_stops = {.sa_flags = SA_NOCLDSTOP};
  pid_t pid = fork();
  if (pid == 0) child(opens, calls);
  waitpid(pid, &status, WUNTRACED);
  if (opens) sigaction(SIGCHLD, &no_stops, NULL);
  ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD);
  kill(pid, SIGCONT);
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (;;) {
    if (waitpid(pid, &status, __WALL) < 0) return 1;
    if (WIFEXITED(status)) break;
    struct __ptrace_syscall_info info;
    int begins = status >> 16 == PTRACE_EVENT_SECCOMP, returns = status >> 8 == (SIGTRAP | 0x80);
    if (begins || returns) ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
    if (begins && opens) read_path(pid, (void *)info.seccomp.args[1]);
    ptrace(begins && opens ? PTRACE_SYSCALL : PTRACE_CONT, pid, 0, 0);
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  if (WEXITSTATUS(status)) return 1;
  printf("%.0f\n", ((end.tv_sec - begin.tv_sec) * 1e9 + (end.tv_nsec - begin.tv_nsec)) / calls);
  return 0;
}
