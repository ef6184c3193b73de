#include "event.h"

#include <string.h>

#define TIMESTAMP_DIGITS 19 /* nanoseconds since 1970, from 2001 to 2286 */
#define MOST_DIGITS 20
#define LEAST_EVENT_BYTES 128 /* the fixed text, two line ends of two bytes, and the longest numbers, rounded up */

#define PUT(text) (memcpy(to, text, sizeof text - 1), to += sizeof text - 1)

/* Writes the digits of a number so that they end right before `end`, and returns where they begin. */
static char *digits_before(char *end, int64_t number)
{
    do {
        *--end = '0' + number % 10;
        number /= 10;
    } while (number);
    return end;
}

static char *put_line_end(char *to, bool crlf)
{
    if (crlf)
        *to++ = '\r';
    *to++ = '\n';
    return to;
}

static char *put_event(char *to, const struct event_format *format, int64_t number, const char *timestamp)
{
    char buffer[MOST_DIGITS];
    char *digits = digits_before(buffer + sizeof buffer, number);
    size_t digit_count = buffer + sizeof buffer - digits;
    const char *start = to;

    PUT("id: ");
    memcpy(to, digits, digit_count);
    to = put_line_end(to + digit_count, format->crlf);
    PUT("data: {\"seq\": ");
    memcpy(to, digits, digit_count);
    to += digit_count;
    PUT(", \"ts\": ");
    memcpy(to, timestamp, TIMESTAMP_DIGITS);
    to += TIMESTAMP_DIGITS;
    PUT(", \"pad\": \"");
    long rest_bytes = format->crlf ? 6 : 4; /* quote, brace, and two line ends */
    long pad_bytes = format->size_bytes - rest_bytes - (to - start);
    if (pad_bytes > 0) {
        memset(to, 'x', pad_bytes);
        to += pad_bytes;
    }
    PUT("\"}");
    to = put_line_end(to, format->crlf);
    return put_line_end(to, format->crlf);
}

/* Writes a chunk's length in hexadecimal, as many digits as it takes, and its line end. */
static char *put_chunk_length(char *to, size_t length)
{
    int shift = 0;
    while (length >> shift > 15)
        shift += 4;
    for (; shift >= 0; shift -= 4)
        *to++ = "0123456789abcdef"[length >> shift & 15];
    return put_line_end(to, true);
}

/* Puts a chunk's frame around what was written at `text`, which begins CHUNK_MARGIN_BYTES after `to`. */
static char *close_chunk(char *to, const char *text, size_t length)
{
    to = put_chunk_length(to, length);
    memmove(to, text, length);
    return put_line_end(to + length, true);
}

size_t write_events(char *to, const struct event_format *format, int64_t first, int count, int64_t now_unix_ns)
{
    char timestamp[TIMESTAMP_DIGITS];
    digits_before(timestamp + sizeof timestamp, now_unix_ns);
    char *start = to;
    char *text = to + CHUNK_MARGIN_BYTES;
    if (format->chunk_per_write) {
        char *end = text;
        for (int64_t number = first; number < first + count; number++)
            end = put_event(end, format, number, timestamp);
        return close_chunk(to, text, end - text) - start;
    }
    for (int64_t number = first; number < first + count; number++) {
        text = to + CHUNK_MARGIN_BYTES;
        to = close_chunk(to, text, put_event(text, format, number, timestamp) - text);
    }
    return to - start;
}

size_t most_bytes(const struct event_format *format, int count)
{
    size_t event_bytes = format->size_bytes > LEAST_EVENT_BYTES ? format->size_bytes : LEAST_EVENT_BYTES;
    return (event_bytes + CHUNK_MARGIN_BYTES) * count + CHUNK_MARGIN_BYTES;
}
