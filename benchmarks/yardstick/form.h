/*
 * The forms of an event: which lines it has and in which order, as servers write them.
 *
 *     id-data        id: 17
 *                    data: {"seq": 17, "ts": 1790000000123456789, "pad": "xxxxxxxxxxxxxx"}
 *     event-id-data  the same with a type first
 *     starlette      id, event, data with CRLF: sse-starlette
 *     fastapi        event, data, id, retry: FastAPI's own EventSourceResponse
 *     spring         data, id, no space after the colon: Spring's SseEmitter
 *     two-data       the JSON in two data lines
 *     retry          a retry line first
 *     comment        a comment first
 *     llm            data alone: a chat.completion.chunk of the OpenAI API, which has its own pad
 *
 * Written by hand: at a million events per second printf alone would take more than a core.
 */

#ifndef FORM_H
#define FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MOST_LINES 4

enum line { NO_LINE, ID, ID_UNSPACED, EVENT, DATA, DATA_UNSPACED, DATA_IN_TWO, RETRY, COMMENT, COMPLETION };

struct form {
    const char *name;
    enum line lines[MOST_LINES + 1];
    bool crlf;
    int size_bytes; /* by default */
};

/* What differs from event to event, as digits. */
struct event_values {
    const char *digits, *timestamp;
    size_t digit_count, pad_bytes;
};

#define TIMESTAMP_DIGITS 19 /* nanoseconds since 1970, from 2001 to 2286 */

/* Returns the form of this name, which is `length` long; NULL if there is none. */
const struct form *find_form(const char *name, size_t length);

/* Writes an event with its blank line; returns its end. */
char *put_event(char *to, const struct form *form, bool crlf, const struct event_values *values);

#endif
