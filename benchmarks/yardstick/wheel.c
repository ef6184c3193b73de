#include "wheel.h"

#include <stdlib.h>

#include "common.h"

#define MASK (WHEEL_SLOTS - 1)

void wheel_init(struct wheel *wheel, int count, int64_t now_ns)
{
    wheel->timers = calloc(count, sizeof *wheel->timers);
    if (!wheel->timers)
        give_up("timers");
    for (int number = 0; number < count; number++)
        wheel->timers[number].slot = -1;
    for (int slot = 0; slot < WHEEL_SLOTS; slot++)
        wheel->first[slot] = -1;
    for (int word = 0; word < WHEEL_SLOTS / 64; word++)
        wheel->occupied[word] = 0;
    wheel->tick = now_ns >> WHEEL_TICK_BITS;
}

void wheel_add(struct wheel *wheel, int number, int64_t due_ns)
{
    struct timer *timer = &wheel->timers[number];
    int64_t tick = due_ns >> WHEEL_TICK_BITS;
    /* Overdue: with the next tick, not with this one, or a source that is behind would never look at its sockets. */
    if (tick <= wheel->tick)
        tick = wheel->tick + 1;
    int slot = tick & MASK;
    timer->due_ns = due_ns;
    timer->slot = slot;
    timer->previous = -1;
    timer->next = wheel->first[slot];
    if (timer->next >= 0)
        wheel->timers[timer->next].previous = number;
    wheel->first[slot] = number;
    wheel->occupied[slot / 64] |= 1ULL << slot % 64;
}

void wheel_remove(struct wheel *wheel, int number)
{
    struct timer *timer = &wheel->timers[number];
    if (timer->slot < 0)
        return;
    if (timer->next >= 0)
        wheel->timers[timer->next].previous = timer->previous;
    if (timer->previous >= 0)
        wheel->timers[timer->previous].next = timer->next;
    else
        wheel->first[timer->slot] = timer->next;
    if (wheel->first[timer->slot] < 0)
        wheel->occupied[timer->slot / 64] &= ~(1ULL << timer->slot % 64);
    timer->slot = -1;
}

/* Returns the first occupied tick from `tick` on, at most one turn ahead; -1 when all slots are empty. */
static int64_t next_occupied(const struct wheel *wheel, int64_t tick)
{
    int64_t end = tick + WHEEL_SLOTS;
    while (tick < end) {
        int slot = tick & MASK;
        uint64_t rest = wheel->occupied[slot / 64] >> slot % 64;
        if (rest)
            return tick + __builtin_ctzll(rest);
        tick += 64 - slot % 64;
    }
    return -1;
}

int wheel_pop(struct wheel *wheel, int64_t now_ns)
{
    int64_t now_tick = now_ns >> WHEEL_TICK_BITS;
    while (wheel->tick <= now_tick) {
        for (int number = wheel->first[wheel->tick & MASK]; number >= 0; number = wheel->timers[number].next) {
            if (wheel->timers[number].due_ns >> WHEEL_TICK_BITS <= wheel->tick) {
                wheel_remove(wheel, number);
                return number;
            }
        }
        int64_t next = next_occupied(wheel, wheel->tick + 1);
        wheel->tick = next < 0 || next > now_tick ? now_tick + 1 : next;
    }
    return -1;
}

int64_t wheel_wait_ns(const struct wheel *wheel, int64_t now_ns)
{
    int64_t next = next_occupied(wheel, wheel->tick);
    if (next < 0)
        return -1;
    int64_t wait_ns = (next << WHEEL_TICK_BITS) - now_ns;
    return wait_ns > 0 ? wait_ns : 0;
}
