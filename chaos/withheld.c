/* Preloaded into the site's processes: withholds what a shared file says is to be withheld.
 *
 * `commits`: so many times the answer to a COMMIT is swallowed, once it is there, and the
 * connection cut. `flush_s`: so long the next flush of a file of a slot takes, once.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DESCRIPTORS 65536

struct wanted {
    int32_t commits;
    int32_t flush_s;
};

static struct wanted *wanted;
static volatile char is_doomed[DESCRIPTORS];

__attribute__((constructor)) static void begin(void) {
    if (strcmp(program_invocation_short_name, "postgres") == 0) return;
    const char *path = getenv("CHAOS_WITHHELD");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *shared = mmap(NULL, sizeof *wanted, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (shared != MAP_FAILED) wanted = shared;
}

static int takes_commit(void) {
    int32_t left = __atomic_load_n(&wanted->commits, __ATOMIC_SEQ_CST);
    while (left > 0)
        if (__atomic_compare_exchange_n(&wanted->commits, &left, left - 1, 0, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
            return 1;
    return 0;
}

ssize_t send(int to, const void *data, size_t size, int flags) {
    static ssize_t (*real)(int, const void *, size_t, int);
    if (!real) real = (ssize_t (*)(int, const void *, size_t, int))dlsym(RTLD_NEXT, "send");
    if (wanted && to < DESCRIPTORS && memmem(data, size, "COMMIT", sizeof "COMMIT"))
        is_doomed[to] = takes_commit();
    return real(to, data, size, flags);
}

ssize_t recv(int from, void *data, size_t size, int flags) {
    static ssize_t (*real)(int, void *, size_t, int);
    if (!real) real = (ssize_t (*)(int, void *, size_t, int))dlsym(RTLD_NEXT, "recv");
    ssize_t got = real(from, data, size, flags);
    if (got > 0 && from < DESCRIPTORS && is_doomed[from]) {
        is_doomed[from] = 0;
        shutdown(from, SHUT_RDWR);
        errno = ECONNRESET;
        return -1;
    }
    return got;
}

static int is_of_media(int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, "/media/") != NULL;
}

int fsync(int file) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    if (wanted && wanted->flush_s > 0 && getenv("FFAPI_SLOT") && is_of_media(file)) {
        struct timespec rest = {.tv_sec = __atomic_exchange_n(&wanted->flush_s, 0, __ATOMIC_SEQ_CST)};
        while (nanosleep(&rest, &rest) != 0 && errno == EINTR) continue;
    }
    return real(file);
}
