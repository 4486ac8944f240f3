/* Addresses of local sockets, with the path that wasi-libc's lack. There are no such sockets: shims/sockets.c. */
#ifndef SHIM_UN_H
#define SHIM_UN_H

#include <__typedef_sa_family_t.h>

#define __wasilibc___struct_sockaddr_un_h

struct sockaddr_un {
    sa_family_t sun_family;
    char sun_path[108];
};

#endif
