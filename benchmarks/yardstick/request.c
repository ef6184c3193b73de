#define _GNU_SOURCE

#include "request.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_FORM "id-data"

struct request *new_request(void)
{
    struct request *request = malloc(sizeof *request);
    if (request) {
        request->length = 0;
        request->text[0] = 0;
    }
    return request;
}

bool add_to_request(struct request *request, const char *data, size_t length)
{
    if (request->length + length > REQUEST_BYTES)
        return false;
    memcpy(request->text + request->length, data, length);
    request->length += length;
    request->text[request->length] = 0;
    return true;
}

bool is_complete(const struct request *request)
{
    return strstr(request->text, "\r\n\r\n");
}

/* Returns the text of a parameter, which goes on after its value, or NULL where there is none. */
static const char *parameter(const char *query, const char *name)
{
    size_t length = strlen(name);
    while (query) {
        query++; /* past the ? or & */
        if (!strncmp(query, name, length) && query[length] == '=')
            return query + length + 1;
        query = strchr(query, '&');
    }
    return NULL;
}

static bool is_value(const char *text, const char *value)
{
    return text && !strncmp(text, value, strlen(value));
}

enum answer read_workload(const struct request *request, struct workload *workload)
{
    char path[256];
    const char *start = strchr(request->text, ' ');
    size_t length = start ? strcspn(start + 1, " \r\n") : sizeof path;
    if (length >= sizeof path)
        return ANSWER_NOT_FOUND;
    memcpy(path, start + 1, length);
    path[length] = 0;
    const char *query = strchr(path, '?');
    size_t name_length = query ? (size_t)(query - path) : length;
    if (name_length == 6 && !strncmp(path, "/stats", 6))
        return ANSWER_STATS;
    workload->idle = name_length == 5 && !strncmp(path, "/idle", 5);
    if (!workload->idle && !(name_length == 7 && !strncmp(path, "/events", 7)))
        return ANSWER_NOT_FOUND;
    const char *rate = parameter(query, "rate");
    const char *count = parameter(query, "count");
    const char *size = parameter(query, "size");
    const char *together = parameter(query, "together");
    const char *name = parameter(query, "form");
    const struct form *form = name ? find_form(name, strcspn(name, "&")) : find_form(DEFAULT_FORM, strlen(DEFAULT_FORM));
    if (!form)
        return ANSWER_NOT_FOUND;
    workload->rate = rate ? strtod(rate, NULL) : 10;
    workload->count = count ? strtoll(count, NULL, 10) : INT64_MAX - 1;
    workload->together = together ? strtoll(together, NULL, 10) : 1;
    workload->format = (struct event_format){
        .form = form,
        .size_bytes = size ? atoi(size) : form->size_bytes,
        .crlf = form->crlf || is_value(parameter(query, "eol"), "crlf"),
        .chunk_per_write = is_value(parameter(query, "chunk"), "write"),
    };
    if (workload->format.size_bytes < 1 || workload->format.size_bytes > EVENT_MAX_BYTES || workload->count < 1 ||
        workload->together < 1)
        return ANSWER_NOT_FOUND;
    return ANSWER_STREAM;
}
