/*
 * When each stream is due: a timer wheel. Adding, removing and finding the next one cost the same for ten streams and
 * for 15,000, where a sorted queue would cost more with each stream.
 *
 * A slot is 65.536 us long, and the wheel turns once in about a second. Whatever is due later than that lies in its slot
 * and is passed over until its turn comes.
 */

#ifndef WHEEL_H
#define WHEEL_H

#include <stdint.h>

#define WHEEL_TICK_BITS 16 /* a tick is 2^16 ns */
#define WHEEL_SLOTS 16384

/* A stream's place in the wheel. Streams are known by small numbers (their file descriptors). */
struct timer {
    int64_t due_ns;
    int32_t next, previous; /* neighbours in the slot, -1 for none */
    int32_t slot;           /* -1: in no slot */
};

struct wheel {
    struct timer *timers; /* by number */
    int64_t tick;         /* the earliest that may hold something due */
    int32_t first[WHEEL_SLOTS];
    uint64_t occupied[WHEEL_SLOTS / 64]; /* a bit per slot: empty ones are skipped 64 at a time */
};

void wheel_init(struct wheel *wheel, int count, int64_t now_ns);
void wheel_add(struct wheel *wheel, int number, int64_t due_ns);
void wheel_remove(struct wheel *wheel, int number);

/* Takes out one that is due, to the tick, and returns its number; -1 when there is none. */
int wheel_pop(struct wheel *wheel, int64_t now_ns);

/* How long until something may be due, 0 if it is; -1 when the wheel is empty. */
int64_t wheel_wait_ns(const struct wheel *wheel, int64_t now_ns);

#endif
