/*
 * What mod_wasm offers to WebAssembly programs beyond WASI, for C and C++ (clang with wasi-libc). The reference is
 * docs/host-imports.md. A program that uses it runs under mod_wasm only.
 */
#ifndef MOD_WASM_H
#define MOD_WASM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Kinds of mod_wasm_fd_lock: a range of bytes, as fcntl(2) locks it with F_OFD_SETLK ... */
#define MOD_WASM_RANGE_UNLOCK 0
#define MOD_WASM_RANGE_SHARED 1
#define MOD_WASM_RANGE_EXCLUSIVE 2
/* ... and the whole file, as flock(2) does. The two do not see each other. */
#define MOD_WASM_FLOCK_UNLOCK 4
#define MOD_WASM_FLOCK_SHARED 5
#define MOD_WASM_FLOCK_EXCLUSIVE 6

/* Timeouts, besides a number of milliseconds. */
#define MOD_WASM_TRY 0
#define MOD_WASM_WAIT (-1) /* as long as the run may take */

/*
 * Locks or unlocks the host's file behind a descriptor. Returns 0, or an error number of <errno.h> (errno itself stays as it is):
 *
 *   EAGAIN  somebody else has a lock that is in the way, and still has it after timeout_ms
 *   EBADF   the descriptor is not open; or not open for writing, which an exclusive lock takes; or not open for reading,
 *           which MOD_WASM_RANGE_SHARED takes
 *   EINVAL  no such kind; a range that begins or ends below 0 or beyond the largest offset; a timeout below -1; or the
 *           descriptor is a standard stream
 *   EISDIR  the descriptor is a directory
 *   ENOLCK  the run has locks of 1,000 ranges already, or the host keeps no more
 *
 * start and len are bytes from the file's beginning; len 0: to its end, wherever that will be. Locks of the whole file ignore
 * both. The lock belongs to the open file: it ends when the descriptor is closed, at the latest with the run.
 */
__attribute__((import_module("mod_wasm"), import_name("fd_lock")))
int32_t mod_wasm_fd_lock(int32_t fd, uint32_t kind, int64_t start, int64_t len, int64_t timeout_ms);

#ifdef __cplusplus
}
#endif

#endif
