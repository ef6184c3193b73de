/* What a client asks the source for. */

#ifndef REQUEST_H
#define REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"

#define REQUEST_BYTES 4096 /* a longer head is refused */

struct request {
    size_t length;
    char text[REQUEST_BYTES + 1]; /* ends with a zero */
};

struct workload {
    double rate; /* events per second; 0 is full blast */
    int64_t count;
    int64_t together; /* the number of streams that have each event at the same moment */
    bool idle;
    struct event_format format;
};

enum answer { ANSWER_STREAM, ANSWER_STATS, ANSWER_NOT_FOUND };

/* Returns an empty request, or NULL when there is no memory. */
struct request *new_request(void);

/* Adds what came; returns whether it fitted. */
bool add_to_request(struct request *request, const char *data, size_t length);

/* Returns whether the head is complete. The body of a POST is ignored. */
bool is_complete(const struct request *request);

/* Reads path and query, whatever the method. */
enum answer read_workload(const struct request *request, struct workload *workload);

#endif
