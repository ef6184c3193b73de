/*
 * The limit: what reading event streams costs when nothing is done with them.
 *
 *     reader HOST PORT PATH STREAMS DURATION_S [RAMP_UP_S [FIELD [HEADERS]]]
 *
 * One thread, level-triggered epoll, one recv of at most 16 KiB per readiness: what any fair reader of many sockets must
 * do, and nothing more. No HTTP beyond the status line, no parsing: the bytes are scanned for a line that begins with
 * FIELD and a colon, which each event of the source has once, whatever its line ends and chunks: "id" without FIELD.
 * No memory is allocated for anything that is read.
 *
 * HEADERS are lines to send along, each with its CRLF. With those of an upgrade it reads a WebSocket: as bytes, no frames.
 *
 * The streams are opened evenly over RAMP_UP_S, as fast as it goes without it. DURATION_S counts from the first start,
 * ramp included. It ends earlier when the server has ended all streams, or on SIGINT. Prints one JSON object: counts of the whole run,
 * and of the steady part after all streams were open.
 */

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"

#define EVENTS_PER_TURN 512
#define READ_BYTES 16384
#define STARTS_AT_ONCE 256 /* connecting at a time: a larger crowd overflows the server's backlog (net.core.somaxconn) */

#define MOST_MARK_BYTES 16

enum phase { CONNECTING, REQUESTED, OPEN };

struct stream {
    enum phase phase;
    char carry[MOST_MARK_BYTES]; /* a mark may lie across two reads: the end of one goes before the next */
};

static struct {
    char request[4096];
    int request_bytes;
    char mark[MOST_MARK_BYTES];
    int mark_bytes;
    int planned, started, connecting, open, opened, failed;
    int64_t ramp_up_ns, start_ns, all_open_ns;
    int64_t events, bytes;
    int64_t steady_events, steady_cpu_us; /* as they were when all streams were open */
    long empty_rss_kib;
} run;

static struct sockaddr_in server;
static struct stream *streams; /* by file descriptor */
static int epoll_fd;
static volatile sig_atomic_t interrupted;
static char buffer[MOST_MARK_BYTES + READ_BYTES];
static char *const data = buffer + MOST_MARK_BYTES;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static void watch(int operation, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    if (epoll_ctl(epoll_fd, operation, fd, &event))
        give_up("epoll_ctl");
}

static void start_stream(void)
{
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        give_up("socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (struct sockaddr *)&server, sizeof server) && errno != EINPROGRESS)
        give_up("connect");
    memset(&streams[fd], 0, sizeof streams[fd]);
    watch(EPOLL_CTL_ADD, fd, EPOLLOUT);
    run.started++;
    run.connecting++;
}

/* Starts what is due. Returns how long until more is, in ms. */
static int start_due(int64_t now_ns)
{
    while (run.started < run.planned && run.connecting < STARTS_AT_ONCE) {
        int64_t due_ns = run.start_ns + run.ramp_up_ns * run.started / run.planned;
        if (due_ns > now_ns)
            return (due_ns - now_ns) / 1000000 + 1;
        start_stream();
    }
    return 1000;
}

static void end_stream(int fd)
{
    run.open -= streams[fd].phase == OPEN;
    run.failed += streams[fd].phase != OPEN;
    run.connecting -= streams[fd].phase != OPEN;
    close(fd);
}

static void on_connected(int fd)
{
    int code = 0;
    socklen_t length = sizeof code;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &length) || code ||
        send(fd, run.request, run.request_bytes, MSG_NOSIGNAL) != run.request_bytes) {
        end_stream(fd);
        return;
    }
    streams[fd].phase = REQUESTED;
    watch(EPOLL_CTL_MOD, fd, EPOLLIN);
}

static void on_answered(int fd, size_t length)
{
    static const char ok[] = "HTTP/1.1 200", upgraded[] = "HTTP/1.1 101";
    if (length < sizeof ok - 1 || (memcmp(data, ok, sizeof ok - 1) && memcmp(data, upgraded, sizeof upgraded - 1))) {
        end_stream(fd);
        return;
    }
    streams[fd].phase = OPEN;
    run.connecting--;
    run.open++;
    if (++run.opened < run.planned)
        return;
    run.all_open_ns = clock_ns(CLOCK_MONOTONIC);
    run.steady_events = run.events;
    run.steady_cpu_us = cpu_us();
}

static int64_t count_marks(const char *from, const char *end)
{
    int64_t count = 0;
    while ((from = memmem(from, end - from, run.mark, run.mark_bytes))) {
        count++;
        from += run.mark_bytes;
    }
    return count;
}

static void on_readable(int fd)
{
    ssize_t length = recv(fd, data, READ_BYTES, 0);
    if (length <= 0) {
        if (length == 0 || (errno != EAGAIN && errno != EINTR))
            end_stream(fd);
        return;
    }
    struct stream *stream = &streams[fd];
    if (stream->phase == REQUESTED) {
        on_answered(fd, length);
        if (stream->phase != OPEN)
            return;
    }
    run.bytes += length;
    int carry_bytes = run.mark_bytes - 1;
    memcpy(data - carry_bytes, stream->carry, carry_bytes);
    run.events += count_marks(data - carry_bytes, data + length);
    memcpy(stream->carry, data + length - carry_bytes, carry_bytes);
}

static void read_streams(int64_t end_ns)
{
    static struct epoll_event ready[EVENTS_PER_TURN];
    for (;;) {
        int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
        if (interrupted || now_ns >= end_ns || (run.started == run.planned && run.connecting == 0 && run.open == 0))
            return;
        int64_t left_ms = (end_ns - now_ns) / 1000000 + 1;
        int wait_ms = start_due(now_ns);
        int count = epoll_wait(epoll_fd, ready, EVENTS_PER_TURN, wait_ms < left_ms ? wait_ms : left_ms);
        if (count < 0 && errno != EINTR)
            give_up("epoll_wait");
        for (int index = 0; index < count; index++) {
            int fd = ready[index].data.fd;
            if (streams[fd].phase == CONNECTING)
                on_connected(fd);
            else
                on_readable(fd);
        }
    }
}

static void print_figures(void)
{
    int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
    int64_t steady_cpu_us = cpu_us() - run.steady_cpu_us, steady_events = run.events - run.steady_events;
    double open_s = (double)(run.all_open_ns - run.start_ns) / NS_PER_S;
    bool all_opened = run.opened == run.planned;
    printf("{\"streams\": %d, \"opened\": %d, \"failed\": %d, \"duration_s\": %.3f, \"events\": %lld, \"bytes\": %lld, "
           "\"cpu_us\": %lld, ",
           run.planned, run.opened, run.failed, (double)(now_ns - run.start_ns) / NS_PER_S, (long long)run.events,
           (long long)run.bytes, (long long)cpu_us());
    if (all_opened)
        printf("\"open_s\": %.4f, \"opened_per_s\": %.0f, \"steady_s\": %.3f, \"steady_events\": %lld, "
               "\"steady_cpu_us\": %lld, \"cpu_us_per_event\": %.3f, ",
               open_s, run.planned / open_s, (double)(now_ns - run.all_open_ns) / NS_PER_S, (long long)steady_events,
               (long long)steady_cpu_us, steady_events ? (double)steady_cpu_us / steady_events : 0);
    printf("\"empty_rss_kib\": %ld, \"rss_kib\": %ld}\n", run.empty_rss_kib, rss_kib());
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fprintf(stderr, "usage: reader HOST PORT PATH STREAMS DURATION_S [RAMP_UP_S [FIELD [HEADERS]]]\n");
        return 2;
    }
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
    if (inet_pton(AF_INET, argv[1], &server.sin_addr) != 1) {
        fprintf(stderr, "reader: HOST must be an IPv4 address\n");
        return 2;
    }
    run.request_bytes = snprintf(run.request, sizeof run.request,
                                 "GET %s HTTP/1.1\r\nhost: %s:%s\r\naccept: text/event-stream\r\n%s\r\n", argv[3],
                                 argv[1], argv[2], argc > 8 ? argv[8] : "");
    run.mark_bytes = snprintf(run.mark, sizeof run.mark, "\n%s:", argc > 7 ? argv[7] : "id");
    if (run.request_bytes >= (int)sizeof run.request || run.mark_bytes >= MOST_MARK_BYTES) {
        fprintf(stderr, "reader: PATH, FIELD or HEADERS are too long\n");
        return 2;
    }
    run.planned = atoi(argv[4]);
    run.ramp_up_ns = argc > 6 ? atof(argv[6]) * NS_PER_S : 0;
    streams = calloc(raise_open_files(), sizeof *streams);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!streams || epoll_fd < 0)
        give_up("streams");
    sigaction(SIGINT, &(struct sigaction){.sa_handler = interrupt}, NULL); /* epoll_wait returns, too */
    run.empty_rss_kib = rss_kib();
    run.start_ns = clock_ns(CLOCK_MONOTONIC);
    read_streams(run.start_ns + (int64_t)(atof(argv[5]) * NS_PER_S));
    print_figures();
    return 0;
}
