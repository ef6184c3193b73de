#define _GNU_SOURCE

#include "stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"

#define WRITE_BYTES 65536       /* at most so much in one write */
#define SENDS_PER_TURN 256      /* when there is more to do than time, new streams must still get in */
#define SEND_BUFFER_BYTES 65536 /* at full blast, or the kernel would hide megabytes per socket from the figures */

struct stream *streams;
struct stats stats;
static struct wheel wheel;
static int epoll_fd;
static char scratch[WRITE_BYTES];

void streams_init(int most_files)
{
    streams = calloc(most_files, sizeof *streams);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!streams || epoll_fd < 0)
        give_up("streams");
    wheel_init(&wheel, most_files, clock_ns(CLOCK_MONOTONIC));
}

static void watch(int operation, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    if (epoll_ctl(epoll_fd, operation, fd, &event))
        give_up("epoll_ctl");
}

void watch_new(int fd)
{
    watch(EPOLL_CTL_ADD, fd, EPOLLIN);
}

void close_stream(int fd)
{
    struct stream *stream = &streams[fd];
    wheel_remove(&wheel, fd);
    stats.streams_open -= stream->open;
    free(stream->request);
    free(stream->unsent);
    memset(stream, 0, sizeof *stream);
    close(fd);
}

/* Sends, and keeps what the socket does not take; `events` of them end in these bytes. Returns whether all is out. */
static bool send_or_keep(int fd, const char *data, size_t length, int events)
{
    struct stream *stream = &streams[fd];
    ssize_t taken = send(fd, data, length, MSG_NOSIGNAL);
    if (taken < 0 && errno != EAGAIN && errno != EINTR) {
        close_stream(fd);
        return false;
    }
    taken = taken < 0 ? 0 : taken;
    stats.bytes_sent += taken;
    if ((size_t)taken == length) {
        stats.events_sent += events;
        return true;
    }
    stream->pending = events;
    stream->unsent_bytes = length - taken;
    stream->unsent = malloc(stream->unsent_bytes);
    if (!stream->unsent)
        give_up("malloc");
    memcpy(stream->unsent, data + taken, stream->unsent_bytes);
    return false;
}

/* Sends what was kept, if anything was. Returns whether the socket may have more. */
static bool send_kept(int fd)
{
    char *unsent = streams[fd].unsent;
    if (!unsent)
        return true;
    streams[fd].unsent = NULL;
    bool complete = send_or_keep(fd, unsent, streams[fd].unsent_bytes, streams[fd].pending);
    free(unsent);
    return complete;
}

/* Writes the events that the stream is owed, as many as fit into one write. Returns whether they are out. */
static bool send_owed(int fd)
{
    struct stream *stream = &streams[fd];
    int64_t count = stream->due - stream->next + 1;
    int64_t fitting = WRITE_BYTES / most_bytes(&stream->format, 1);
    if (count > fitting)
        count = fitting;
    if (count < 1)
        return true;
    size_t length = write_events(scratch, &stream->format, stream->next, count, clock_ns(CLOCK_REALTIME));
    stream->next += count;
    return send_or_keep(fd, scratch, length, count);
}

/* Waits for the socket exactly as long as there is something to write. */
static void update_interest(int fd)
{
    struct stream *stream = &streams[fd];
    bool waiting = stream->unsent || stream->due >= stream->next;
    if (waiting == stream->waiting)
        return;
    stream->waiting = waiting;
    watch(EPOLL_CTL_MOD, fd, waiting ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* Ends the stream when all is written. The client closes, and then so do we: what is on its way is not cut off. */
static void end_if_complete(int fd)
{
    struct stream *stream = &streams[fd];
    if (stream->open && !stream->ended && stream->next > stream->last) {
        stream->ended = true;
        send_or_keep(fd, "0\r\n\r\n", 5, 0);
    }
    if (stream->ended && !stream->unsent)
        shutdown(fd, SHUT_WR);
}

void on_writable(int fd)
{
    if (send_kept(fd) && send_owed(fd))
        end_if_complete(fd);
    if (streams[fd].waiting) /* not closed meanwhile */
        update_interest(fd);
}

static void on_due(int fd, int64_t now_ns)
{
    struct stream *stream = &streams[fd];
    int64_t due_ns = wheel.timers[fd].due_ns;
    if (now_ns - due_ns > stats.most_late_ns)
        stats.most_late_ns = now_ns - due_ns;
    stream->due++;
    if (stream->due < stream->last)
        wheel_add(&wheel, fd, due_ns + stream->period_ns); /* from when it was due: lateness must not add up */
    if (stream->waiting)
        return; /* what it is owed goes out when the socket takes it */
    if (send_owed(fd))
        end_if_complete(fd);
    if (stream->open)
        update_interest(fd);
}

void send_due_events(void)
{
    int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
    for (int turn = 0, fd; turn < SENDS_PER_TURN && (fd = wheel_pop(&wheel, now_ns)) >= 0; turn++)
        on_due(fd, now_ns);
}

/* Returns when a new stream gets its first event: `together` streams that open one after the other at the same moment,
 * and these groups spread over the period, however many there are. Each comes a golden section of the period after the
 * one before it, and so falls into one of the widest gaps. */
static int64_t first_due_ns(int64_t period_ns, int64_t together)
{
    static uint64_t phase;
    static int64_t left_in_group;
    if (stats.streams_open == 1 || left_in_group == 0) { /* the first stream of a run begins a group */
        phase += 0x9E3779B97F4A7C15ULL;                  /* 2^64 divided by the golden ratio */
        left_in_group = together;
    }
    left_in_group--;
    int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
    int64_t offset_ns = (double)phase / 0x1p64 * period_ns;
    int64_t due_ns = now_ns - now_ns % period_ns + offset_ns;
    return due_ns < now_ns ? due_ns + period_ns : due_ns;
}

void open_stream(int fd, const struct workload *workload)
{
    static const char head[] = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-store\r\n"
                               "transfer-encoding: chunked\r\n\r\n";
    struct stream *stream = &streams[fd];
    stats.streams_opened++;
    stats.streams_open++;
    stream->open = true;
    stream->format = workload->format;
    stream->next = 1;
    stream->last = workload->count;
    if (!send_or_keep(fd, head, sizeof head - 1, 0) || workload->idle)
        return; /* the buffer of a new socket takes a head, or the socket is broken */
    if (workload->rate > 0) {
        stream->period_ns = NS_PER_S / workload->rate;
        wheel_add(&wheel, fd, first_due_ns(stream->period_ns, workload->together));
        return;
    }
    int bytes = SEND_BUFFER_BYTES;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    stream->due = stream->last;
    update_interest(fd);
}

void send_answer(int fd, const char *data, size_t length)
{
    streams[fd].ended = true;
    if (send_or_keep(fd, data, length, 0))
        shutdown(fd, SHUT_WR);
}

int wait_for_streams(struct epoll_event *ready, int most)
{
    int64_t wait_ns = wheel_wait_ns(&wheel, clock_ns(CLOCK_MONOTONIC));
    struct timespec timeout = {.tv_sec = wait_ns / NS_PER_S, .tv_nsec = wait_ns % NS_PER_S};
    int count = epoll_pwait2(epoll_fd, ready, most, wait_ns < 0 ? NULL : &timeout, NULL);
    if (count < 0 && errno != EINTR)
        give_up("epoll_pwait2");
    return count < 0 ? 0 : count;
}
