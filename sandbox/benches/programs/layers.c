// What each layer of a jail costs by itself: layers LAYER ROUNDS PROGRAM GROUP starts the program ROUNDS times with one layer
// around it, and as often without, in turn, and prints both medians in nanoseconds. A jail does some of this for each
// run, some for each stage and some once; here everything is done each time.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RULES 60

static int program;
static char *group;

static void must(int good, const char *what) {
  if (good) return;
  perror(what);
  _exit(99);
}

static void nothing(void) {}

static void rlimits(void) {
  struct rlimit limit = {64, 64};
  must(!setrlimit(RLIMIT_NOFILE, &limit) && !setrlimit(RLIMIT_CORE, &(struct rlimit){1, 1}), "setrlimit");
  limit.rlim_cur = limit.rlim_max = 64 << 20;
  must(!setrlimit(RLIMIT_FSIZE, &limit) && !setrlimit(RLIMIT_STACK, &limit), "setrlimit");
  must(!setrlimit(RLIMIT_CPU, &limit), "setrlimit");
}

static void credentials(void) {
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++) prctl(PR_CAPBSET_DROP, capability);
  must(!syscall(SYS_setgroups, 0, 0) && !syscall(SYS_setresgid, 65534, 65534, 65534), "setresgid");
  must(!syscall(SYS_setresuid, 65534, 65534, 65534) && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "setresuid");
}

static void descriptors(void) { must(!syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC), "close_range"); }

static void keyring(void) { must(syscall(SYS_keyctl, 1, 0) >= 0, "keyctl"); }

// A list, which libseccomp makes of small policies; it makes trees of large ones.
static void filter(void) {
  static struct sock_filter code[RULES + 3];
  int at = 0;
  code[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (; at <= RULES; at++) code[at] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1000 + at, RULES - at + 1, 0);
  code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
  struct sock_fprog all = {at, code};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  must(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all), "seccomp");
}

static void landlock(void) {
  struct landlock_ruleset_attr attr = {.handled_access_fs = (1 << 13) - 1};
  int rules = syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
  must(rules >= 0, "landlock");
  const char *paths[] = {"/", "/dev", "/tmp"};
  for (int i = 0; i < 3; i++) {
    struct landlock_path_beneath_attr beneath = {i ? (1 << 13) - 1 : 1 | 4 | 8, open(paths[i], O_PATH)};
    must(!syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0), "landlock_add_rule");
    close(beneath.parent_fd);
  }
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  must(!syscall(SYS_landlock_restrict_self, rules, 0), "landlock_restrict_self");
  close(rules);
}

static void enter_group(void) {
  char name[4096];
  snprintf(name, sizeof name, "%s/cgroup.procs", group);
  int file = open(name, O_WRONLY);
  must(file >= 0 && write(file, "0", 1) == 1, name);
  close(file);
}

static void new_proc(void) {
  must(!mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "hidepid=invisible,subset=pid"), "mount");
}

static void new_tmpfs(void) { must(!mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=64m"), "mount"); }

static const struct layer {
  const char *name;
  unsigned long flags;
  void (*enter)(void);
} layers[] = {
    {"user namespace", CLONE_NEWUSER, nothing},   {"pid namespace", CLONE_NEWPID, nothing},
    {"mount namespace", CLONE_NEWNS, nothing},    {"net namespace", CLONE_NEWNET, nothing},
    {"ipc namespace", CLONE_NEWIPC, nothing},     {"uts namespace", CLONE_NEWUTS, nothing},
    {"cgroup namespace", CLONE_NEWCGROUP, nothing}, {"control group, made", 0, enter_group},
    {"control group, entered", 0, enter_group},   {"pid and mount namespace", CLONE_NEWPID | CLONE_NEWNS, nothing},
    {"these and /proc", CLONE_NEWPID | CLONE_NEWNS, new_proc}, {"mount namespace and tmpfs", CLONE_NEWNS, new_tmpfs},
    {"resource limits", 0, rlimits},              {"credentials", 0, credentials},
    {"descriptors", 0, descriptors},              {"keyring", 0, keyring},
    {"system call filter, 60 rules", 0, filter},            {"Landlock", 0, landlock},
};

static long once(const struct layer *layer) {
  struct timespec begin, end;
  int status, made = layer && !strcmp(layer->name, "control group, made");
  clock_gettime(CLOCK_MONOTONIC, &begin);
  if (made) must(!mkdir(group, 0755), group);
  pid_t pid = syscall(SYS_clone, CLONE_VFORK | SIGCHLD | (layer ? layer->flags : 0), 0, 0, 0, 0);
  must(pid >= 0, "clone");
  if (pid == 0) {
    if (layer) layer->enter();
    fexecve(program, (char *[]){"program", 0}, (char *[]){0});
    _exit(98);
  }
  must(waitpid(pid, &status, 0) == pid && status == 0, layer ? layer->name : "bare");
  if (made) must(!rmdir(group), group);
  clock_gettime(CLOCK_MONOTONIC, &end);
  return (end.tv_sec - begin.tv_sec) * 1000000000 + end.tv_nsec - begin.tv_nsec;
}

static int order(const void *one, const void *other) {
  long a = *(const long *)one, b = *(const long *)other;
  return (a > b) - (a < b);
}

int main(int argc, char **argv) {
  if (argc == 1) {
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) puts(layers[i].name);
    return 0;
  }
  const struct layer *layer = layers;
  while (strcmp(layer->name, argv[1])) layer++;
  int rounds = atoi(argv[2]);
  // Opened here: a layer may forbid to look the path up.
  program = open(argv[3], O_RDONLY | O_CLOEXEC), group = argv[4];
  must(program >= 0, argv[3]);
  // What is mounted must stay here.
  must(!unshare(CLONE_NEWNS) && !mount(0, "/", 0, MS_REC | MS_PRIVATE, 0), "unshare");
  int entered = !strcmp(layer->name, "control group, entered");
  if (entered) must(!mkdir(group, 0755), group);
  long *bare = calloc(rounds, sizeof *bare), *with = calloc(rounds, sizeof *with);
  for (int i = 0; i < rounds; i++) bare[i] = once(0), with[i] = once(layer);
  if (entered) must(!rmdir(group), group);
  qsort(bare, rounds, sizeof *bare, order);
  qsort(with, rounds, sizeof *with, order);
  printf("%ld %ld %ld\n", bare[rounds / 2], with[rounds / 2], with[rounds * 9 / 10]);
  return 0;
}
