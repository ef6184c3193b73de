/*
 * An event source that costs next to nothing, so that what a benchmark measures is the reader.
 *
 *     source [PORT]
 *
 * One thread, epoll, HTTP/1.1 on 127.0.0.1. Prints the port it listens on as its first line, and ends when its standard
 * input does. What a stream carries is in the request's path, so that one process serves all workloads:
 *
 *     /events?rate=10     events per second, spread evenly over the streams: no two are due together
 *            &together=N  N streams have each event at the same moment: a broadcast with all of them
 *     /events?rate=0      full blast: as much as the socket takes
 *            &count=N     end after N events (default: never)
 *            &form=NAME   the lines of an event and their order (form.h)
 *            &size=98     bytes of an event
 *            &eol=crlf    line ends of two bytes
 *            &chunk=write one chunk per write of many events; a chunk per event without it, as most servers do
 *     /idle               a head, and then silence
 *     /stats              the counters, as JSON
 *
 * What its numbers promise: an event's `ts` is taken right before its bytes go to the kernel; `seq` begins at 1 in each
 * stream and has no gaps; an event is counted as sent when the kernel has all of it. A stream that does not take its
 * events in time gets them later, none is left out. No socket gets a second write before each other one had its turn.
 */

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"
#include "request.h"
#include "stream.h"

#define EVENTS_PER_TURN 512 /* what epoll hands out at a time */
#define ACCEPTS_PER_TURN 64 /* the open streams must not wait for a crowd at the door */

static int stats_json(char *to, size_t size)
{
    int length = snprintf(to, size,
                          "{\"streams_opened\": %lld, \"streams_open\": %lld, \"events_sent\": %lld, "
                          "\"bytes_sent\": %lld, \"cpu_us\": %lld, \"most_late_us\": %lld}\n",
                          (long long)stats.streams_opened, (long long)stats.streams_open, (long long)stats.events_sent,
                          (long long)stats.bytes_sent, (long long)cpu_us(), (long long)stats.most_late_ns / 1000);
    stats.most_late_ns = 0; /* since the last look */
    return length;
}

static void send_stats(int fd)
{
    char body[512], answer[1024];
    int length = stats_json(body, sizeof body);
    length = snprintf(answer, sizeof answer,
                      "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
                      "connection: close\r\n\r\n%s",
                      length, body);
    send_answer(fd, answer, length);
}

static void answer(int fd)
{
    static const char refusal[] = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    struct workload workload;
    enum answer kind = read_workload(streams[fd].request, &workload);
    free(streams[fd].request);
    streams[fd].request = NULL;
    if (kind == ANSWER_STREAM)
        open_stream(fd, &workload);
    else if (kind == ANSWER_STATS)
        send_stats(fd);
    else
        send_answer(fd, refusal, sizeof refusal - 1);
}

/* Reads a request; of a stream only that the client has left, and what else it says is passed over. */
static void on_readable(int fd)
{
    static char data[REQUEST_BYTES];
    struct request *request = streams[fd].request;
    ssize_t length = recv(fd, data, sizeof data, 0);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length <= 0)
        close_stream(fd);
    else if (request && !add_to_request(request, data, length))
        close_stream(fd); /* longer than any that asks for a stream */
    else if (request && is_complete(request))
        answer(fd);
}

static void accept_streams(int listener, int most_files)
{
    for (int turn = 0; turn < ACCEPTS_PER_TURN; turn++) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE)
                give_up("no more streams fit (ulimit -Hn)");
            return;
        }
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (fd >= most_files || !(streams[fd].request = new_request()))
            give_up("accept");
        watch_new(fd);
    }
}

/* Listens and prints the port. */
static int listen_on(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t length = sizeof address;
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 65535))
        give_up("listen");
    if (getsockname(listener, (struct sockaddr *)&address, &length))
        give_up("getsockname");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

/* Serves until standard input is at its end. */
static void serve(int listener, int most_files)
{
    static struct epoll_event ready[EVENTS_PER_TURN];
    for (;;) {
        int count = wait_for_streams(ready, EVENTS_PER_TURN);
        for (int index = 0; index < count; index++) {
            int fd = ready[index].data.fd;
            if (fd == listener) {
                accept_streams(listener, most_files);
            } else if (fd == STDIN_FILENO) {
                char discarded[256];
                if (read(STDIN_FILENO, discarded, sizeof discarded) <= 0)
                    return;
            } else {
                if (ready[index].events & ~EPOLLOUT)
                    on_readable(fd);
                if (streams[fd].waiting && ready[index].events & EPOLLOUT) /* not closed a moment ago */
                    on_writable(fd);
            }
        }
        send_due_events();
    }
}

int main(int argc, char **argv)
{
    int most_files = raise_open_files();
    prctl(PR_SET_TIMERSLACK, 1L); /* wake when an event is due, not up to 50 us later */
    streams_init(most_files);
    int listener = listen_on(argc > 1 ? atoi(argv[1]) : 0);
    watch_new(listener);
    watch_new(STDIN_FILENO);
    serve(listener, most_files);
    char text[512];
    stats_json(text, sizeof text);
    fputs(text, stderr);
    return 0;
}
