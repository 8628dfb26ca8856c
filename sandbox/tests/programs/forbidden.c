/* Makes the system call that its argument names and then ends with 0. Any
 * return from the call, with whatever result, ends with 10 plus errno. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv) {
    const char *name = argv[1];
    long result = 0;
    int directory = open("/usr", O_RDONLY | O_DIRECTORY);
    errno = 0;
#define CALL(text, call) if (!strcmp(name, text)) result = (call)
    CALL("ptrace", ptrace(PTRACE_TRACEME, 0, 0, 0));
    CALL("process_vm_readv", syscall(SYS_process_vm_readv, 1, 0, 0, 0, 0, 0));
    CALL("process_vm_writev", syscall(SYS_process_vm_writev, 1, 0, 0, 0, 0, 0));
    CALL("mount", mount("none", "/tmp", "tmpfs", 0, ""));
    CALL("umount", umount2("/tmp", MNT_DETACH));
    CALL("chroot", chroot("/tmp"));
    CALL("pivot_root", syscall(SYS_pivot_root, "/tmp", "/tmp"));
    CALL("unshare", unshare(CLONE_NEWUSER));
    CALL("setns", setns(0, 0));
    CALL("clone-user", syscall(SYS_clone, CLONE_NEWUSER | 17, 0, 0, 0, 0));
    CALL("clone-mount", syscall(SYS_clone, CLONE_NEWNS | 17, 0, 0, 0, 0));
    CALL("clone-pid", syscall(SYS_clone, CLONE_NEWPID | 17, 0, 0, 0, 0));
    CALL("inet", socket(AF_INET, SOCK_STREAM, 0));
    CALL("inet6", socket(AF_INET6, SOCK_DGRAM, 0));
    CALL("netlink", socket(AF_NETLINK, SOCK_RAW, 0));
    CALL("vsock", socket(AF_VSOCK, SOCK_STREAM, 0));
    CALL("packet", socket(AF_PACKET, SOCK_RAW, 0));
    CALL("bind", bind(0, NULL, 0));
    CALL("io_uring", syscall(SYS_io_uring_setup, 8, NULL));
    CALL("io_uring_enter", syscall(SYS_io_uring_enter, 0, 1, 0, 0, NULL, 0));
    CALL("io_uring_register", syscall(SYS_io_uring_register, 0, 0, NULL, 0));
    CALL("keyctl", syscall(SYS_keyctl, 0, 0, 0, 0, 0));
    CALL("add_key", syscall(SYS_add_key, "user", "x", "x", 1, -2));
    CALL("request_key", syscall(SYS_request_key, "user", "x", NULL, -2));
    CALL("bpf", syscall(SYS_bpf, 0, NULL, 0));
    CALL("perf", syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
    CALL("userfaultfd", syscall(SYS_userfaultfd, 0));
    CALL("modify_ldt", syscall(SYS_modify_ldt, 0, NULL, 0));
    CALL("personality", personality(ADDR_NO_RANDOMIZE));
    CALL("module", syscall(SYS_init_module, NULL, 0, ""));
    CALL("kexec", syscall(SYS_kexec_load, 0, 0, NULL, 0));
    CALL("reboot", syscall(SYS_reboot, 0, 0, 0, NULL));
    CALL("handle", syscall(SYS_open_by_handle_at, 0, NULL, 0));
    CALL("mknod", syscall(SYS_mknod, "/tmp/x", 0020666, 0x103));
    CALL("sethostname", sethostname("x", 1));
    CALL("seccomp", syscall(SYS_seccomp, 0, 0, NULL));
    /* Denied, not fatal. */
    CALL("unix", socket(AF_UNIX, SOCK_STREAM, 0));
    CALL("setuid", setuid(0));
    CALL("shmget", syscall(SYS_shmget, 0, 4096, 01600));
    CALL("semget", syscall(SYS_semget, 0, 1, 01600));
    CALL("msgget", syscall(SYS_msgget, 0, 01600));
    CALL("mq_open", syscall(SYS_mq_open, "x", 0102, 0600, NULL));
    CALL("clone3", syscall(SYS_clone3, NULL, 0));
    CALL("affinity", syscall(SYS_sched_setaffinity, 0, 8, &result));
    CALL("inotify", syscall(SYS_inotify_init));
    CALL("dnotify", fcntl(directory, F_NOTIFY, DN_ACCESS | DN_MULTISHOT));
    CALL("dnotify-upper", syscall(SYS_fcntl, directory, 0x100000000 | F_NOTIFY, DN_ACCESS));
    CALL("lease", fcntl(directory, F_SETLEASE, F_RDLCK));
    CALL("fcntl-unknown", fcntl(directory, 5000));
    CALL("unknown", syscall(9999));
#ifdef __x86_64__
    /* getpid as i386 and as x32 number it. */
    if (!strcmp(name, "i386")) __asm__ volatile("int $0x80" : "=a"(result) : "a"(20));
    CALL("x32", syscall(0x40000000 | SYS_getpid));
#endif
    return result == -1 ? 10 + errno : 9;
}
