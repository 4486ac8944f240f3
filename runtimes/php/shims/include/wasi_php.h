/*
 * Names of POSIX that PHP and its libraries use and wasi-libc does not declare. Included before every file of theirs. What the functions
 * answer stands beside them, in the files above this folder.
 */
#ifndef SHIM_WASI_PHP_H
#define SHIM_WASI_PHP_H

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

/* locks.c: kinds of locks, and the commands of fcntl that set them. */
#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2
#define F_GETLK 5
#define F_SETLK 6
#define F_SETLKW 7
#define LOCK_SH 1
#define LOCK_EX 2
#define LOCK_NB 4
#define LOCK_UN 8
int flock(int fd, int operation);

/* descriptors.c */
#define F_DUPFD 0
int dup(int fd);
int dup2(int fd, int other);
int getdtablesize(void);

/* files.c */
#define P_tmpdir "/tmp"
mode_t umask(mode_t mask);
int chmod(const char *path, mode_t mode);
int fchmod(int fd, mode_t mode);
int chown(const char *path, uid_t user, gid_t group);
int lchown(const char *path, uid_t user, gid_t group);

/* temporary_files.c */
int mkstemp(char *pattern);
char *mktemp(char *pattern);
FILE *tmpfile(void);

/* users.c */
uid_t getuid(void);
uid_t geteuid(void);
gid_t getgid(void);
gid_t getegid(void);
int getgroups(int size, gid_t *groups);
int setuid(uid_t user);
int setgid(gid_t group);
int initgroups(const char *user, gid_t group);

/* process.c; <sys/wait.h> uses this type, and its own header has none. */
typedef struct {
    int si_signo, si_code, si_status;
    pid_t si_pid;
} siginfo_t;
pid_t fork(void);
pid_t waitpid(pid_t process, int *status, int options);
pid_t setsid(void);
pid_t getppid(void);
int kill(pid_t process, int number);
unsigned alarm(unsigned seconds);
int pipe(int ends[2]);
FILE *popen(const char *command, const char *mode);
int pclose(FILE *stream);
int execv(const char *path, char *const *arguments);
int execvp(const char *file, char *const *arguments);
int execle(const char *path, const char *argument, ...);

/* sockets.c: calls, and names that PHP offers as constants. */
#define SOL_IP 0
#define SO_ERROR 4
#define SO_REUSEADDR 2
#define SO_BROADCAST 6
#define SO_KEEPALIVE 9
#define SOMAXCONN 128
#define PF_UNIX 3
#define MSG_OOB 1
#define MSG_DONTWAIT 64
#ifndef POLLPRI
#define POLLPRI 0
#endif
int gethostname(char *name, size_t size);
int socket(int domain, int type, int protocol);
int socketpair(int domain, int type, int protocol, int *ends);
int connect(int fd, const struct sockaddr *address, socklen_t size);
int bind(int fd, const struct sockaddr *address, socklen_t size);
int listen(int fd, int backlog);
int getsockname(int fd, struct sockaddr *address, socklen_t *size);
int getpeername(int fd, struct sockaddr *address, socklen_t *size);
int setsockopt(int fd, int level, int option, const void *value, socklen_t size);
ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *address, socklen_t address_size);
ssize_t recvfrom(int fd, void *data, size_t size, int flags, struct sockaddr *address, socklen_t *address_size);

#ifdef __cplusplus
}
#endif

#endif
