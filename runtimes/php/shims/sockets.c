/*
 * A sandbox has no network. PHP answers: fsockopen(), stream_socket_client() and https:// "Unable to connect", "Function not implemented"; names are
 * not resolved: gethostbyname() gives its argument back, as it does for any name that does not exist. gethostname() is false, with a warning.
 */
#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

static int not_implemented(void)
{
    errno = ENOSYS;
    return -1;
}

int socket(int domain, int type, int protocol)
{
    return not_implemented();
}

int socketpair(int domain, int type, int protocol, int *ends)
{
    return not_implemented();
}

int connect(int fd, const struct sockaddr *address, socklen_t size)
{
    return not_implemented();
}

int bind(int fd, const struct sockaddr *address, socklen_t size)
{
    return not_implemented();
}

int listen(int fd, int backlog)
{
    return not_implemented();
}

int getsockname(int fd, struct sockaddr *address, socklen_t *size)
{
    return not_implemented();
}

int getpeername(int fd, struct sockaddr *address, socklen_t *size)
{
    return not_implemented();
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
    return not_implemented();
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *address, socklen_t address_size)
{
    return not_implemented();
}

ssize_t recvfrom(int fd, void *data, size_t size, int flags, struct sockaddr *address, socklen_t *address_size)
{
    return not_implemented();
}

int gethostname(char *name, size_t size)
{
    return not_implemented();
}

int getnameinfo(const struct sockaddr *address, socklen_t size, char *host, socklen_t host_size, char *service, socklen_t service_size, int flags)
{
    return EAI_FAIL;
}

int gethostbyname_r(const char *name, struct hostent *entry, char *buffer, size_t size, struct hostent **result, int *error)
{
    *result = NULL;
    *error = HOST_NOT_FOUND;
    return ENOSYS;
}
