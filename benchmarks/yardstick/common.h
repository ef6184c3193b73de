/* What the source and the reader share: clocks, limits, and how to give up. */

#ifndef COMMON_H
#define COMMON_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S 1000000000LL

static inline int64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Prints what failed and why (errno), and ends the process. */
void give_up(const char *what) __attribute__((noreturn));

/* Raises the limit of open files to what the system allows this process, and returns it. */
int raise_open_files(void);

/* User and system time of this process in microseconds. */
int64_t cpu_us(void);

/* Resident memory of this process in KiB, now (not the peak). */
long rss_kib(void);

#endif
