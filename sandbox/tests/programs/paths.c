// Ways to the file /data/secret, one a line: its name and the error number.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECRET "/data/secret"

static void tell(const char *name, long result) {
  printf("%s %d\n", name, result < 0 ? errno : 0);
  fflush(stdout);
}

static long try(const char *path) { return open(path, O_RDONLY); }

static void *in_thread(void *unused) {
  tell("thread", try(SECRET));
  return NULL;
}

static void attempts(void) {
  tell("allowed", try("/data/open"));
  tell("absolute", try(SECRET));
  tell("slashes", try("//data///secret"));
  tell("dots", try("/data/../tmp/.././data/./secret"));
  chdir("/data");
  tell("relative", try("secret"));
  tell("relative-dots", try("../data/secret"));
  chdir("/tmp");
  int data = open("/data", O_PATH);
  tell("dirfd", openat(data, "secret", O_RDONLY));
  tell("dirfd-dots", openat(data, "../data/secret", O_RDONLY));
  symlink(SECRET, "/tmp/link");
  tell("link", try("/tmp/link"));
  tell("link-nofollow", open("/tmp/link", O_RDONLY | O_NOFOLLOW));
  symlink("link", "/tmp/link2");
  tell("link-to-link", try("link2"));
  symlink("/data", "/tmp/directory");
  tell("link-to-directory", try("/tmp/directory/secret"));
  symlink("../data", "/tmp/relative");
  tell("relative-link", try("/tmp/relative/./secret"));
  tell("proc-root", try("/proc/self/root/data/secret"));
  tell("proc-thread", try("/proc/thread-self/root/data/secret"));
  char path[8192];
  snprintf(path, sizeof path, "/proc/%d/root/data/secret", getpid());
  tell("proc-pid", try(path));
  tell("proc-cwd", try("/proc/self/cwd/../data/secret"));
  symlink("/proc/self/root", "/tmp/root");
  tell("link-to-proc", try("/tmp/root/data/secret"));
  snprintf(path, sizeof path, "/proc/self/fd/%d/secret", data);
  tell("proc-fd-directory", try(path));
  int handle = open(SECRET, O_PATH);
  tell("o-path", handle);
  snprintf(path, sizeof path, "/proc/self/fd/%d", handle);
  tell("reopen", try(path));
  snprintf(path, sizeof path, "/dev/fd/%d", handle);
  tell("reopen-dev", try(path));
  struct open_how how = {.flags = O_RDONLY};
  tell("openat2", syscall(SYS_openat2, data, "secret", &how, sizeof how));
  how.flags = O_RDWR;
  tell("openat2-write", syscall(SYS_openat2, -100, SECRET, &how, sizeof how));
  how = (struct open_how){.flags = O_RDONLY, .resolve = RESOLVE_IN_ROOT};
  tell("other-root", syscall(SYS_openat2, data, "/secret", &how, sizeof how));
  how.resolve = RESOLVE_BENEATH;
  tell("beneath", syscall(SYS_openat2, data, "secret", &how, sizeof how));
  tell("upper-bits", syscall(SYS_openat, 0x1234567800000000 | (unsigned)data, "secret", 0));
  tell("hard-link", linkat(AT_FDCWD, SECRET, AT_FDCWD, "/tmp/hard", 0));
  tell("hard-link-fd", linkat(handle, "", AT_FDCWD, "/tmp/hard", AT_EMPTY_PATH));
  tell("rename", rename(SECRET, "/tmp/moved"));

  memset(path, '/', sizeof path);
  strcpy(path + 4095 - strlen("data/secret"), "data/secret");
  tell("long", try(path));
  strcpy(path + 5000, "data/secret");
  memset(path + 4000, '/', 1000);
  tell("too-long", try(path));
  tell("null", syscall(SYS_open, NULL, 0));
  tell("unmapped", syscall(SYS_open, 0x10, 0));
  tell("kernel", syscall(SYS_open, 0xffffffff80000000, 0));
  char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(pages + 4096, 4096);
  strcpy(pages + 4096 - sizeof SECRET, SECRET);
  tell("end-of-page", try(pages + 4096 - sizeof SECRET));
  memcpy(pages + 4096 - 5, "/data", 5);
  tell("over-the-end", try(pages + 4096 - 5));

  pthread_t thread;
  pthread_create(&thread, NULL, in_thread, NULL);
  pthread_join(thread, NULL);
  if (fork() == 0) {
    tell("fork", try(SECRET));
    _exit(0);
  }
  wait(NULL);
  if (vfork() == 0) {
    tell("vfork", try(SECRET));
    _exit(0);
  }
  if (syscall(SYS_clone, 0x800000 | 17, 0, 0, 0, 0) == 0) {
    tell("untraced", try(SECRET));
    _exit(0);
  }
  while (wait(NULL) > 0);
  tell("clone3", syscall(SYS_clone3, NULL, 0));
  struct stat status;
  tell("stat", stat(SECRET, &status));
  tell("stat-fd", fstatat(handle, "", &status, AT_EMPTY_PATH));
  tell("write", open(SECRET, O_WRONLY));
  tell("truncate", truncate(SECRET, 0));
  tell("missing", try("/nowhere/secret"));
  tell("no-directory", try("/data/open/secret"));
  memset(path, 'n', 300);
  strcpy(path + 300, "/../secret");
  tell("long-name", openat(data, path, O_RDONLY));
  tell("closed", openat(99, "secret", O_RDONLY));
  tell("closed-itself", fstatat(99, "", &status, AT_EMPTY_PATH));
}

static volatile int stop;
static char *shared;

static void *flip(void *unused) {
  for (unsigned i = 0; !stop; i++) {
    memcpy(shared, i % 2 ? SECRET : "/data/open\0\0", 12);
    if (i % 7 < 3) sched_yield();
  }
  return NULL;
}

static void swap_link(void) {
  for (;;) {
    symlink("/data/open", "/tmp/new");
    rename("/tmp/new", "/tmp/race");
    symlink(SECRET, "/tmp/new");
    rename("/tmp/new", "/tmp/race");
  }
}

static long opened, refused;

static void check(int fd) {
  char byte = 0;
  if (fd < 0) {
    if (errno == EACCES) refused++;
    return;
  }
  if (read(fd, &byte, 1) == 1 && byte == 's') {
    puts("secret read");
    exit(1);
  }
  opened++;
  close(fd);
}

// Opens what others change until the time is over and both ends were seen.
static void race(const char *kind, int seconds) {
  shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  const char *path = shared;
  pid_t child = 0;
  if (!strcmp(kind, "thread")) {
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, flip, NULL);
  } else if (!strcmp(kind, "process")) {
    if ((child = fork()) == 0) flip(NULL);
  } else {
    path = "/tmp/race";
    if ((child = fork()) == 0) swap_link();
  }
  time_t end = time(NULL) + seconds;
  while (time(NULL) < end || opened < 20 || refused < 20) check(open(path, O_RDONLY));
  puts("opened and refused");
}

static void *open_for_ever(void *unused) {
  for (;;) {
    close(open("/data/open", O_RDONLY));
    usleep(1000);
  }
}

static const char *executed = "/bin/true";

static void *execute_it(void *unused) {
  execl(executed, executed, "ran", NULL);
  exit(2);
}

// Threads of a process open files while one of them executes a program: the kernel has
// that one wait for the end of the others. They pause, or each decision about a path, for
// which all others stop, leaves a slow machine no time to make the next thread.
static void execute_in_threads(int times) {
  for (int i = 0; i < times; i++) {
    pid_t child = fork();
    if (child == 0) {
      pthread_t thread;
      for (int j = 0; j < 4; j++) pthread_create(&thread, NULL, open_for_ever, NULL);
      for (int j = 0; j < i % 8; j++) close(open("/data/open", O_RDONLY));
      pthread_create(&thread, NULL, execute_it, NULL);
      open_for_ever(NULL);
    }
    int status;
    while (waitpid(child, &status, WNOHANG) == 0) {
      close(open("/data/open", O_RDONLY));
      usleep(1000);
    }
    if (status != 0) exit(1);
  }
  puts("executed");
}

// A process opens files, makes processes and executes programs, all of which the tracer looks
// at, and is killed in the middle of it.
static void kill_at_any_moment(int times) {
  for (int i = 0; i < times; i++) {
    pid_t child = fork();
    if (child == 0) {
      pthread_t thread;
      pthread_create(&thread, NULL, open_for_ever, NULL);
      for (;;) {
        close(open("/data/open", O_RDONLY));
        if (fork() == 0) execute_it(NULL);
        while (waitpid(-1, NULL, WNOHANG) > 0) ;
      }
    }
    usleep(rand() % 3000);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
  }
  puts("killed");
}

// Whoever is left stands at a call, or is about to.
static void leave_behind(int number) {
  for (int i = 0; i < number; i++)
    if (fork() == 0)
      for (;;) close(open("/data/open", O_RDONLY));
  puts("left");
}

static int end_at_once(void *unused) {
  syscall(SYS_exit, 0);
  return 0;
}

// The kernel clears a word for a thread that ends: here, behind the name of the secret.
static void race_with_ends(int seconds) {
  static char stack[16384] __attribute__((aligned(16)));
  static union {
    char path[64];
    volatile int words[16];
  } changing __attribute__((aligned(16)));
  const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                    CLONE_CHILD_CLEARTID;
  volatile int *end_of_name = &changing.words[(sizeof SECRET - 1) / sizeof(int)];
  // Only the secret is refused: each time, the word was cleared after our last look at it.
  for (time_t end = time(NULL) + seconds; time(NULL) < end || refused < 20;) {
    strcpy(changing.path, SECRET "~~~~");
    if (clone(end_at_once, stack + sizeof stack, flags, NULL, NULL, NULL, end_of_name) < 0) exit(3);
    for (; *end_of_name != 0;) check(open(changing.path, O_RDONLY));
  }
  puts("refused and never read");
}

static char born[64] = "/tmp/~~~~";

static void *make_children(void *unused) {
  static char stack[16384] __attribute__((aligned(16)));
  for (pid_t child = 0;;) {
    char link[16] = "/tmp/";
    int next = child + 1;
    memcpy(link + 5, &next, sizeof next);
    symlink(SECRET, link);
    memset(born + 5, '~', 4);
    child = clone(end_at_once, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_CHILD_SETTID | SIGCHLD, NULL, NULL,
                  NULL, born + 5);
    if (child < 0) exit(3);
    waitpid(child, NULL, 0);
    unlink(link);
  }
}

// The kernel writes a child's number for it before the child is heard of for the first time:
// here, to the end of a name, where a link awaits it.
static void race_with_births(int seconds) {
  pthread_t thread;
  pthread_create(&thread, NULL, make_children, NULL);
  for (time_t end = time(NULL) + seconds; time(NULL) < end || refused < 20;) check(open(born, O_RDONLY));
  puts("refused and never read");
}

// What opens nothing follows a link where it says that it would make something.
static void look(void) {
  symlink(SECRET, "/tmp/link");
  tell("look", open("/tmp/link", O_PATH));
  tell("look-and-make", open("/tmp/link", O_PATH | O_CREAT | O_EXCL, 0600));
  tell("make", open("/tmp/link", O_RDONLY | O_CREAT | O_EXCL, 0600));
  tell("look-at-link", open("/tmp/link", O_PATH | O_NOFOLLOW));
}

static void change_by_descriptor(void) {
  int fd = open(SECRET, O_RDONLY);
  tell("fchmod", fchmod(fd, 0600));
  tell("fchown", fchown(fd, -1, -1));
  tell("futimens", futimens(fd, NULL));
  tell("fchmod-other", fchmod(open("/tmp/new", O_RDONLY | O_CREAT, 0600), 0644));
  tell("fchmod-closed", fchmod(99, 0600));
}

static void *tell_number(void *number) {
  *(volatile pid_t *)number = gettid();
  pause();
  return NULL;
}

// In /proc every thread has a directory, though only those of processes are listed.
static void look_at_own_numbers(void) {
  volatile pid_t number = 0;
  pthread_t thread;
  char path[64];
  pthread_create(&thread, NULL, tell_number, (void *)&number);
  while (number == 0) sched_yield();
  sprintf(path, "/proc/%d/mountinfo", number);
  tell("thread", try(path));
  sprintf(path, "/proc/%d/mountinfo", getpid());
  tell("process", try(path));
  pid_t child = fork();
  if (child == 0) pause();
  sprintf(path, "/proc/%d/mountinfo", child);
  tell("child", try(path));
  kill(child, SIGKILL);
}

// A script whose interpreter has no name any more, beside a file that is called as the kernel
// calls that.
static void execute_by_what_is_removed(void) {
  dup2(open("/tmp/forbidden", O_PATH), 9);
  unlink("/tmp/forbidden");
  close(open("/tmp/forbidden (deleted)", O_WRONLY | O_CREAT, 0644));
  int script = open("/tmp/script", O_WRONLY | O_CREAT, 0755);
  write(script, "#!/proc/self/fd/9\n", 18);
  close(script);
  execl("/tmp/script", "script", NULL);
  _exit(errno);
}

static void execute(const char *name, int fd, const char *path, int flags) {
  char *none[] = {"copy", NULL};
  if (fork() == 0) {
    syscall(SYS_execveat, fd, path, none, none, flags);
    tell(name, -1);
    _exit(0);
  }
  wait(NULL);
}

static int copy_to(int to) {
  char buffer[65536];
  int from = open("/tmp/allowed", O_RDONLY);
  for (ssize_t size; (size = read(from, buffer, sizeof buffer)) > 0;) write(to, buffer, size);
  close(from);
  return to;
}

// Code that may be executed, from where nothing may be.
static void execute_copies(void) {
  char path[64];
  close(copy_to(open("/tmp/copy", O_WRONLY | O_CREAT, 0755)));
  execute("copy", AT_FDCWD, "/tmp/copy", 0);
  int memory = copy_to(memfd_create("copy", 0));
  execute("memfd", memory, "", AT_EMPTY_PATH);
  sprintf(path, "/proc/self/fd/%d", memory);
  execute("memfd-proc", AT_FDCWD, path, 0);
  int copy = open("/tmp/copy", O_PATH);
  execute("o-path", copy, "", AT_EMPTY_PATH);
  unlink("/tmp/copy");
  execute("deleted", copy, "", AT_EMPTY_PATH);
  execute("allowed", AT_FDCWD, "/tmp/allowed", 0);
  int allowed = open("/tmp/allowed", O_PATH);
  tell("removed", unlink("/tmp/allowed"));
  execute("allowed-removed", allowed, "", AT_EMPTY_PATH);
}

static const struct {
  const char *name;
  void (*does)(void);
} alone[] = {
    {"look", look},
    {"change-by-descriptor", change_by_descriptor},
    {"own-numbers", look_at_own_numbers},
    {"removed-interpreter", execute_by_what_is_removed},
    {"execute-copies", execute_copies},
};

int main(int argc, char **argv) {
  for (size_t i = 0; argc == 2 && i < sizeof alone / sizeof *alone; i++)
    if (!strcmp(argv[1], alone[i].name)) {
      alone[i].does();
      return 0;
    }
  if (argc > 2 && !strcmp(argv[1], "exec")) {
    // What the link names changes between two looks at it.
    symlink("/tmp/allowed", "/tmp/race");
    if (argc > 3 && fork() == 0)
      for (;;) {
        symlink("/tmp/allowed", "/tmp/new");
        rename("/tmp/new", "/tmp/race");
        symlink("/tmp/forbidden", "/tmp/new");
        rename("/tmp/new", "/tmp/race");
      }
    for (int i = 0; i < atoi(argv[2]); i++) {
      if (fork() == 0) {
        execl("/tmp/race", "race", NULL);
        _exit(errno == EACCES ? 7 : 8);
      }
      int status;
      while (wait(&status) > 0) {
        if (WEXITSTATUS(status) == 66) exit(1);
        break;
      }
    }
    _exit(0);
  }
  if (argc > 3) executed = argv[3];
  if (argc > 2 && !strcmp(argv[1], "exec-in-threads"))
    execute_in_threads(atoi(argv[2]));
  else if (argc > 2 && !strcmp(argv[1], "leave"))
    leave_behind(atoi(argv[2]));
  else if (argc > 2 && !strcmp(argv[1], "kill"))
    kill_at_any_moment(atoi(argv[2]));
  else if (argc > 2 && !strcmp(argv[1], "ends"))
    race_with_ends(atoi(argv[2]));
  else if (argc > 2 && !strcmp(argv[1], "births"))
    race_with_births(atoi(argv[2]));
  else if (argc > 2)
    race(argv[1], atoi(argv[2]));
  else
    attempts();
  return 0;
}
