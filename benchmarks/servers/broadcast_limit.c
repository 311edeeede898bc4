/* The limit of a broadcast: no server can do less. It answers any first request with 101, whatever it says, and sends
   each message that comes to all of its connections: one system call for each, of bytes that are ready.
   A message has 126 to 65535 bytes, in one frame, masked with zeros, as broadcast_load sends them.
   Usage: broadcast_limit PORT */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#define MOST 65536 /* connections */
#define HEAD 4     /* bytes before the payload of the frame that leaves; what arrives has a key of 4 more */

static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
static int members[MOST], count, place[MOST]; /* place: of a socket among the members, by its number */
static char is_open[MOST], input[MOST + 16], frame[MOST + 16];
static size_t filled;

static void fail(const char *what) {
    fprintf(stderr, "broadcast_limit: %s (%s)\n", what, strerror(errno));
    exit(1);
}

static void leave(int peer) {
    int last = members[--count];
    members[place[peer]] = last;
    place[last] = place[peer];
    close(peer);
}

static void enter(int listener, int epoll) {
    int one = 1, peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    struct epoll_event interest = {.events = EPOLLIN, .data.fd = peer};
    if (peer < 0) return;
    if (peer >= MOST || count >= MOST) fail("too many connections");
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    epoll_ctl(epoll, EPOLL_CTL_ADD, peer, &interest);
    is_open[peer] = 0;
    place[peer] = count;
    members[count++] = peer;
}

static void broadcast(size_t length) {
    memcpy(frame, input, HEAD);
    frame[1] &= 0x7f;
    memcpy(frame + HEAD, input + HEAD + 4, length);
    for (int i = 0; i < count; i++)
        if (send(members[i], frame, HEAD + length, MSG_NOSIGNAL) != (ssize_t)(HEAD + length)) fail("cannot send");
}

/* One peer sends at a time, so that one buffer does for all. */
static void take(int peer) {
    ssize_t received = recv(peer, input + filled, sizeof input - filled, 0);
    if (received <= 0) {
        leave(peer);
    } else if (!is_open[peer]) {
        is_open[peer] = 1;
        if (send(peer, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0) fail("cannot send");
    } else if ((filled += received) > HEAD + 4) {
        size_t length = (unsigned char)input[2] << 8 | (unsigned char)input[3];
        if (filled < length + HEAD + 4) return;
        filled = 0;
        broadcast(length);
    }
}

int main(int argc, char **argv) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event ready[64];
    struct rlimit files;
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0), epoll = epoll_create1(0);
    struct epoll_event interest = {.events = EPOLLIN, .data.fd = listener};
    if (argc != 2) return 2;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    address.sin_port = htons(atoi(argv[1]));
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024)) fail("cannot listen");
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &interest);
    for (;;) {
        int events = epoll_wait(epoll, ready, 64, -1);
        for (int i = 0; i < events; i++) {
            if (ready[i].data.fd == listener)
                enter(listener, epoll);
            else
                take(ready[i].data.fd);
        }
    }
}
