// Ways to have another name for what a rule is about: one a line, with the error number.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void tell(const char *name, long result) {
  printf("%s %d\n", name, result < 0 ? errno : 0);
  fflush(stdout);
}

static void make(const char *path) {
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0755);
  if (write(fd, "#!/bin/true\n", 12) != 12) exit(1);
  close(fd);
}

static int reopen(int fd) {
  char path[64];
  sprintf(path, "/proc/self/fd/%d", fd);
  return open(path, O_RDONLY);
}

static void execute(const char *name, int fd, const char *path) {
  char *none[] = {"moved", NULL};
  if (fork() == 0) {
    syscall(SYS_execveat, fd, path, none, none, AT_EMPTY_PATH);
    tell(name, -1);
    _exit(0);
  }
  wait(NULL);
}

// The same file by other names.
static void go_around(void) {
  if (chdir("/proc") || open("self/maps", O_RDONLY) < 0) exit(1);
  int directory = open(".", O_PATH);
  symlink("/proc", "/tmp/link");
  if (open("/tmp/link/self/maps", O_RDONLY) < 0) exit(2);
  if (fchdir(open("/tmp", O_PATH)) || openat(directory, "self//../self/maps", O_RDONLY) < 0) exit(3);
}

int main(int argc, char **argv) {
  if (argc > 1) {
    go_around();
    return 0;
  }
  umask(0);
  make("/tmp/program");
  make("/tmp/unseen");
  mkdir("/tmp/box", 0755);
  mkdir("/tmp/box/inner", 0755);
  make("/tmp/box/inner/secret");
  make("/tmp/box/inner/secret (deleted)");
  mkdir("/tmp/kept", 0755);
  mkdir("/tmp/mine", 0755);
  make("/tmp/mine/only");
  mkdir("/tmp/closed", 0755);
  mkdir("/tmp/closed/open", 0755);
  make("/tmp/closed/open/secret");
  mkdir("/tmp/data", 0755);
  make("/tmp/data/new");

  execute("executed", AT_FDCWD, "/tmp/program");
  tell("link-program", link("/tmp/program", "/tmp/other"));
  tell("rename-program", rename("/tmp/program", "/tmp/other"));
  tell("link-unseen", link("/tmp/unseen", "/tmp/other"));
  tell("rename-parent", rename("/tmp/box/inner", "/tmp/other"));
  tell("rename-above", rename("/tmp/box", "/tmp/other"));
  tell("rename-relative", renameat(open("/tmp/box", O_PATH), "inner", AT_FDCWD, "/tmp/other"));
  tell("rename-children", rename("/tmp/kept", "/tmp/other"));
  tell("rename-excepted", rename("/tmp/closed/open", "/tmp/other"));
  tell("rename-inside", rename("/tmp/closed/open", "/tmp/closed/again"));
  tell("rename-data", rename("/tmp/data/new", "/tmp/data/old"));
  tell("link-data", link("/tmp/data/old", "/tmp/data/new"));
  tell("rename-to-execute", rename("/tmp/data/old", "/tmp/program-too"));
  tell("link-to-execute", link("/tmp/data/old", "/tmp/program-too"));
  tell("exchange", renameat2(AT_FDCWD, "/tmp/mine", AT_FDCWD, "/tmp/box", RENAME_EXCHANGE));
  tell("rename-under-a-rule", rename("/tmp/mine", "/tmp/absent"));
  tell("rename-free", rename("/tmp/mine", "/tmp/other"));
  tell("link-free", link("/tmp/other/only", "/tmp/only"));

  int secret = open("/tmp/box/inner/secret", O_PATH);
  int named_so = open("/tmp/box/inner/secret (deleted)", O_PATH);
  tell("reopened", reopen(secret));
  tell("unlinked", unlink("/tmp/box/inner/secret"));
  tell("reopened-unlinked", reopen(secret));
  tell("named-so", reopen(named_so));
  int program = open("/tmp/program", O_PATH);
  unlink("/tmp/program");
  execute("executed-unlinked", program, "");
  tell("link-unlinked", linkat(program, "", AT_FDCWD, "/tmp/again", AT_EMPTY_PATH));
  return 0;
}
