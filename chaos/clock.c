/* Preloaded into the site's processes: sets their wall clock off by the seconds in a shared file.
 *
 * Monotonic clocks stay true. What waits until a time of the wall clock (sem_timedwait) is given
 * the true one, as the kernel does not know of the other. libfaketime can't do this with a Python
 * that sleeps until a monotonic time: there, its sleep fails with EINVAL.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *off_by_s;

__attribute__((constructor)) static void begin(void) {
    /* A slot that starts while the database is down starts that too: its clock is to stay true. */
    if (strcmp(program_invocation_short_name, "postgres") == 0) return;
    const char *path = getenv("CHAOS_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *shared = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (shared != MAP_FAILED) off_by_s = shared;
}

static int64_t off(void) { return off_by_s ? *off_by_s : 0; }

int clock_gettime(clockid_t which, struct timespec *told) {
    int result = syscall(SYS_clock_gettime, which, told);
    if (result == 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE))
        told->tv_sec += off();
    return result;
}

int gettimeofday(struct timeval *restrict told, void *restrict zone) {
    int result = syscall(SYS_gettimeofday, told, zone);
    if (result == 0 && told) told->tv_sec += off();
    return result;
}

time_t time(time_t *told) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (told) *told = now.tv_sec;
    return now.tv_sec;
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until) {
    static int (*real)(sem_t *, const struct timespec *);
    if (!real) real = (int (*)(sem_t *, const struct timespec *))dlsym(RTLD_NEXT, "sem_timedwait");
    struct timespec truly = *until;
    truly.tv_sec -= off();
    return real(semaphore, &truly);
}
