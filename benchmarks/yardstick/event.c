#include "event.h"

#include <string.h>

#define MOST_DIGITS 20
#define LEAST_EVENT_BYTES 384 /* the fixed text of the longest form and the longest numbers, rounded up */

/* Writes the digits of a number so that they end right before `end`, and returns where they begin. */
static char *digits_before(char *end, int64_t number)
{
    do {
        *--end = '0' + number % 10;
        number /= 10;
    } while (number);
    return end;
}

/* Writes the numbers of the events, and the pad that makes each as long as it must be. */
struct writer {
    const struct event_format *format;
    struct event_values values;
    size_t padded_digit_count; /* of the numbers that the pad fits; 0: none yet */
    char digits[MOST_DIGITS], timestamp[TIMESTAMP_DIGITS];
};

static char *put_numbered(char *to, struct writer *writer, int64_t number)
{
    const struct event_format *format = writer->format;
    struct event_values *values = &writer->values;
    values->digits = digits_before(writer->digits + MOST_DIGITS, number);
    values->digit_count = writer->digits + MOST_DIGITS - values->digits;
    if (values->digit_count != writer->padded_digit_count) {
        values->pad_bytes = 0;
        long missing_bytes = format->size_bytes - (put_event(to, format->form, format->crlf, values) - to);
        values->pad_bytes = missing_bytes > 0 ? missing_bytes : 0;
        writer->padded_digit_count = values->digit_count;
    }
    return put_event(to, format->form, format->crlf, values);
}

static char *put_chunk_line_end(char *to)
{
    *to++ = '\r';
    *to++ = '\n';
    return to;
}

/* Writes a chunk's length in hexadecimal, as many digits as it takes, and its line end. */
static char *put_chunk_length(char *to, size_t length)
{
    int shift = 0;
    while (length >> shift > 15)
        shift += 4;
    for (; shift >= 0; shift -= 4)
        *to++ = "0123456789abcdef"[length >> shift & 15];
    return put_chunk_line_end(to);
}

/* Puts a chunk's frame around what was written at `text`, which begins CHUNK_MARGIN_BYTES after `to`. */
static char *close_chunk(char *to, const char *text, size_t length)
{
    to = put_chunk_length(to, length);
    memmove(to, text, length);
    return put_chunk_line_end(to + length);
}

size_t write_events(char *to, const struct event_format *format, int64_t first, int count, int64_t now_unix_ns)
{
    struct writer writer = {.format = format, .values.timestamp = writer.timestamp};
    digits_before(writer.timestamp + TIMESTAMP_DIGITS, now_unix_ns);
    char *start = to;
    char *text = to + CHUNK_MARGIN_BYTES;
    if (format->chunk_per_write) {
        char *end = text;
        for (int64_t number = first; number < first + count; number++)
            end = put_numbered(end, &writer, number);
        return close_chunk(to, text, end - text) - start;
    }
    for (int64_t number = first; number < first + count; number++) {
        text = to + CHUNK_MARGIN_BYTES;
        to = close_chunk(to, text, put_numbered(text, &writer, number) - text);
    }
    return to - start;
}

size_t most_bytes(const struct event_format *format, int count)
{
    size_t event_bytes = format->size_bytes > LEAST_EVENT_BYTES ? format->size_bytes : LEAST_EVENT_BYTES;
    return (event_bytes + CHUNK_MARGIN_BYTES) * count + CHUNK_MARGIN_BYTES;
}
