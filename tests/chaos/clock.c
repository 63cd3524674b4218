/* A wall clock that jumps, stands still or runs ten times as fast, for LD_PRELOAD. The monotonic clock stays true.
 *
 * CHAOS_CLOCK is "jump SECONDS", "freeze 0" or "fast 10"; it begins CHAOS_CLOCK_AFTER seconds after the first look. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

typedef int (*clock_function)(clockid_t, struct timespec *);

static double seconds(clockid_t id) {
    static clock_function original;
    struct timespec now;
    if (!original) original = (clock_function)dlsym(RTLD_NEXT, "clock_gettime");
    original(id, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double told(void) {
    static double begin_monotonic, begin_wall;
    const char *what = getenv("CHAOS_CLOCK"), *after = getenv("CHAOS_CLOCK_AFTER");
    double wall = seconds(CLOCK_REALTIME), passed;
    if (!what) return wall;
    if (begin_wall == 0) {
        begin_monotonic = seconds(CLOCK_MONOTONIC);
        begin_wall = wall;
    }
    passed = seconds(CLOCK_MONOTONIC) - begin_monotonic - (after ? atof(after) : 0);
    if (passed < 0) return wall;
    if (!strncmp(what, "jump ", 5)) return wall + atof(what + 5);
    if (!strncmp(what, "freeze ", 7)) return wall - passed;
    return wall + passed * (atof(what + 5) - 1);
}

int clock_gettime(clockid_t id, struct timespec *now) {
    double time = id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE ? told() : seconds(id);
    now->tv_sec = (time_t)time;
    now->tv_nsec = (long)((time - (double)now->tv_sec) * 1e9);
    return 0;
}

int gettimeofday(struct timeval *now, void *zone) {
    double time = told();
    (void)zone;
    now->tv_sec = (time_t)time;
    now->tv_usec = (suseconds_t)((time - (double)now->tv_sec) * 1e6);
    return 0;
}

time_t time(time_t *now) {
    time_t found = (time_t)told();
    if (now) *now = found;
    return found;
}
