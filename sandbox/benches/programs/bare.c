// The least that a traced call costs: a filter that says RET_TRACE, and a tracer that looks at each stop with
// GET_SYSCALL_INFO and lets the call be made. Prints nanoseconds per call.
#define _GNU_SOURCE
#include <errno.h>
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
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void child(int calls) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kill, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {4, filter};
  raise(SIGSTOP);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) _exit(1);
  for (int i = 0; i < calls; i++) syscall(SYS_kill, 1, 0);
  _exit(0);
}

int main(int argc, char **argv) {
  int calls = atoi(argv[1]), status;
  pid_t pid = fork();
  if (pid == 0) child(calls);
  waitpid(pid, &status, WUNTRACED);
  ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL);
  kill(pid, SIGCONT);
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (;;) {
    if (waitpid(pid, &status, __WALL) < 0) return 1;
    if (WIFEXITED(status)) break;
    struct __ptrace_syscall_info info;
    if (status >> 16 == PTRACE_EVENT_SECCOMP) ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
    ptrace(PTRACE_CONT, pid, 0, 0);
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  if (WEXITSTATUS(status)) return 1;
  printf("%.0f\n", ((end.tv_sec - begin.tv_sec) * 1e9 + (end.tv_nsec - begin.tv_nsec)) / calls);
  return 0;
}
