/* Preloaded by the tests: the clock of the day jumps by CLOCK_JUMP seconds, CLOCK_JUMP_AFTER seconds after the first look
   or as soon as the file CLOCK_JUMP_FILE exists. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int look(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *)) dlsym(RTLD_NEXT, "clock_gettime");
    return real(clock, now);
}

static long jump(void) {
    static time_t begun;
    const char *seconds = getenv("CLOCK_JUMP"), *after = getenv("CLOCK_JUMP_AFTER"), *file = getenv("CLOCK_JUMP_FILE");
    struct timespec now;
    look(CLOCK_MONOTONIC, &now);
    if (!begun) begun = now.tv_sec;
    if (seconds && file) return access(file, F_OK) ? 0 : atol(seconds);
    return seconds && now.tv_sec - begun >= (after ? atol(after) : 0) ? atol(seconds) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = look(clock, now);
    if (!result && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += jump();
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec precise;
    (void) zone;
    if (clock_gettime(CLOCK_REALTIME, &precise)) return -1;
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (now) *now = precise.tv_sec;
    return precise.tv_sec;
}
