/*
 * Runs a command for which the kernel has no openat2, as before Linux 5.6 and under the filters of some containers.
 *
 * Usage: without_openat2 COMMAND [ARGUMENT...]
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct sock_filter rules[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static int fail(const char *what)
{
    perror(what);
    return 126;
}

int main(int argc, char **argv)
{
    struct sock_fprog filter = {sizeof rules / sizeof *rules, rules};

    if (argc < 2)
        return fputs("usage: without_openat2 COMMAND [ARGUMENT...]\n", stderr), 2;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
        return fail("cannot set a filter");
    if (syscall(SYS_openat2, -1, "", NULL, 0) != -1 || errno != ENOSYS)
        return fail("openat2 is still there");
    execvp(argv[1], argv + 1);
    return fail(argv[1]);
}
