/* Events as they go out: each with its number, its timestamp and a pad, in the chunks of an HTTP response. */

#ifndef EVENT_H
#define EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "form.h"

#define EVENT_MAX_BYTES 16384
#define CHUNK_MARGIN_BYTES 16 /* at most so much goes around a chunk: its length in hexadecimal and two line ends */

struct event_format {
    const struct form *form;
    int size_bytes; /* of an event, blank line included; longer only where the fixed text does not fit */
    bool crlf;
    bool chunk_per_write; /* one chunk for many events, instead of one for each as most servers do */
};

/* Writes `count` events with the numbers from `first` on into `to`, in chunks; returns how many bytes that made. */
size_t write_events(char *to, const struct event_format *format, int64_t first, int count, int64_t now_unix_ns);

/* How many bytes `count` events may take at most. */
size_t most_bytes(const struct event_format *format, int count);

#endif
