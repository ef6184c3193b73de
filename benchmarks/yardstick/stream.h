/*
 * The streams of the source: what each of them is owed, and how it gets it. Known by their file descriptors.
 *
 * A stream is owed the events that were due up to now, at full blast all there will ever be. As long as it is owed any,
 * or the socket did not take all bytes, it waits for its socket to become writable; one write each time.
 */

#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "request.h"
#include "wheel.h"

struct stream {
    struct request *request; /* as far as it has come; NULL once it is answered */
    struct event_format format;
    int64_t period_ns; /* 0: full blast, or idle */
    int64_t next;      /* the number of the next event to write */
    int64_t due;       /* the number of the last event that it should have by now */
    int64_t last;      /* the number of the last one of all */
    char *unsent;      /* what the socket did not take */
    int unsent_bytes;
    int pending; /* events that end within the unsent bytes: counted when these are out */
    bool open;   /* its response has begun */
    bool ended;  /* all is written */
    bool waiting;
};

struct stats {
    int64_t streams_opened, streams_open, events_sent, bytes_sent;
    int64_t most_late_ns; /* how late an event was written at most: the source's own lateness */
};

extern struct stream *streams;
extern struct stats stats;

void streams_init(int most_files);
void watch_new(int fd);

/* Answers with a stream. */
void open_stream(int fd, const struct workload *workload);

/* Answers with these bytes, and ends. */
void send_answer(int fd, const char *data, size_t length);

void close_stream(int fd);
void on_writable(int fd);

/* Sends to the streams whose next event is due, a bounded number of them. */
void send_due_events(void);

/* Waits for sockets, but no longer than until an event is due; returns how many are ready. */
struct epoll_event;
int wait_for_streams(struct epoll_event *ready, int most);

#endif
