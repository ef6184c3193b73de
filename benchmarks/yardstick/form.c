#include "form.h"

#include <string.h>

#define DEFAULT_BYTES 98
#define COMPLETION_BYTES 300
#define TIMESTAMP_DIGITS_OF_S 10

static const struct form forms[] = {
    {"id-data", {ID, DATA}, false, DEFAULT_BYTES},
    {"event-id-data", {EVENT, ID, DATA}, false, DEFAULT_BYTES},
    {"starlette", {ID, EVENT, DATA}, true, DEFAULT_BYTES},
    {"fastapi", {EVENT, DATA, ID, RETRY}, false, DEFAULT_BYTES},
    {"spring", {DATA_UNSPACED, ID_UNSPACED}, false, DEFAULT_BYTES},
    {"two-data", {ID, DATA_IN_TWO}, false, DEFAULT_BYTES},
    {"retry", {RETRY, ID, DATA}, false, DEFAULT_BYTES},
    {"comment", {COMMENT, ID, DATA}, false, DEFAULT_BYTES},
    {"llm", {COMPLETION}, false, COMPLETION_BYTES},
};

const struct form *find_form(const char *name, size_t length)
{
    for (const struct form *form = forms; form < forms + sizeof forms / sizeof *forms; form++)
        if (strlen(form->name) == length && !memcmp(form->name, name, length))
            return form;
    return NULL;
}

/* A constant length, so that the compiler makes a few moves of it. */
#define PUT(text) (memcpy(to, text, sizeof text - 1), to += sizeof text - 1)

static char *put(char *to, const char *bytes, size_t length)
{
    memcpy(to, bytes, length);
    return to + length;
}

static char *put_line_end(char *to, bool crlf)
{
    if (crlf)
        *to++ = '\r';
    *to++ = '\n';
    return to;
}

static char *put_pad(char *to, const struct event_values *values)
{
    memset(to, 'x', values->pad_bytes);
    return to + values->pad_bytes;
}

static char *put_json(char *to, enum line line, bool crlf, const struct event_values *values)
{
    PUT("{\"seq\": ");
    to = put(to, values->digits, values->digit_count);
    PUT(", \"ts\": ");
    to = put(to, values->timestamp, TIMESTAMP_DIGITS);
    PUT(", ");
    if (line == DATA_IN_TWO) {
        to = put_line_end(to, crlf);
        PUT("data: ");
    }
    PUT("\"pad\": \"");
    to = put_pad(to, values);
    PUT("\"}");
    return to;
}

static char *put_completion(char *to, const struct event_values *values)
{
    PUT("{\"id\":\"chatcmpl-CgT3mVwq0aZr5kJdYbN8sLh2eXu7o\",\"object\":\"chat.completion.chunk\",\"created\":");
    to = put(to, values->timestamp, TIMESTAMP_DIGITS_OF_S);
    PUT(",\"model\":\"gpt-4o-mini-2024-07-18\",\"system_fingerprint\":\"fp_560af6e559\","
        "\"choices\":[{\"index\":0,\"delta\":{\"content\":\" ");
    to = put(to, values->digits, values->digit_count);
    PUT("\"},\"finish_reason\":null}],\"obfuscation\":\"");
    to = put_pad(to, values);
    PUT("\"}");
    return to;
}

static char *put_line(char *to, enum line line, bool crlf, const struct event_values *values)
{
    switch (line) {
    case ID:
        PUT("id: ");
        to = put(to, values->digits, values->digit_count);
        break;
    case ID_UNSPACED:
        PUT("id:");
        to = put(to, values->digits, values->digit_count);
        break;
    case EVENT:
        PUT("event: tick");
        break;
    case DATA:
    case DATA_IN_TWO:
        PUT("data: ");
        to = put_json(to, line, crlf, values);
        break;
    case DATA_UNSPACED:
        PUT("data:");
        to = put_json(to, line, crlf, values);
        break;
    case RETRY:
        PUT("retry: 3000");
        break;
    case COMMENT:
        PUT(": ping");
        break;
    case COMPLETION:
        PUT("data: ");
        to = put_completion(to, values);
        break;
    case NO_LINE:
        break;
    }
    return put_line_end(to, crlf);
}

char *put_event(char *to, const struct form *form, bool crlf, const struct event_values *values)
{
    for (const enum line *line = form->lines; *line != NO_LINE; line++)
        to = put_line(to, *line, crlf, values);
    return put_line_end(to, crlf);
}
