/* The load of a broadcast over WebSockets: many connections, of which one sends a message; when all of them, the sender
   included, have received it, it sends the next. What comes is compared byte by byte.

   Prints "ready" when all are open. Then, for each line of its input, a number of seconds, it broadcasts as long, and
   prints "<messages received> messages in <seconds> s, p50 <microseconds> us, p99 <microseconds> us", where the
   times are those from the sending to each receipt. It ends with its input.
   Usage: broadcast_load PORT CONNECTIONS BYTES */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define LONGEST 10000000 /* microseconds that the table of latencies tells apart */
#define HEAD 4           /* bytes before the payload of a frame of 126 to 65535 bytes */
#define KEY 4            /* of a client's frame */

struct connection {
    int socket;
    size_t received;
};

static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
static unsigned latencies[LONGEST];
static unsigned long messages;
static size_t size; /* of the frame that comes back */
static char *frame, *answer;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void fail(const char *what) {
    fprintf(stderr, "broadcast_load: %s (%s)\n", what, strerror(errno));
    exit(1);
}

/* Connects, and reads the answer to the handshake to its end and no further. */
static void begin(struct connection *peer, const struct sockaddr_in *address) {
    int one = 1;
    char head[2000];
    size_t length = 0;
    peer->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(peer->socket, (const struct sockaddr *)address, sizeof *address)) fail("cannot connect");
    setsockopt(peer->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (send(peer->socket, request, sizeof request - 1, MSG_NOSIGNAL) != sizeof request - 1) fail("cannot send");
    while (length < 4 || memcmp(head + length - 4, "\r\n\r\n", 4)) {
        if (length == sizeof head || recv(peer->socket, head + length, 1, 0) != 1) fail("no answer to the handshake");
        length++;
    }
    if (length < 13 || memcmp(head, "HTTP/1.1 101 ", 13)) fail("not a WebSocket");
}

/* Another payload each time: neighbouring parts of it differ, too. Masked with zeros it goes out as it comes back. */
static void make_message(unsigned number) {
    size_t length = size - HEAD;
    frame[0] = (char)0x82;
    frame[1] = 126;
    frame[2] = (char)(length >> 8);
    frame[3] = (char)length;
    for (size_t i = 0; i < length; i++) frame[HEAD + i] = (char)(number + i * 7 + i / 251);
}

static void send_message(const struct connection *peer) {
    char head[HEAD + KEY] = {frame[0], (char)(frame[1] | 0x80), frame[2], frame[3], 0, 0, 0, 0};
    if (send(peer->socket, head, sizeof head, MSG_NOSIGNAL | MSG_MORE) != sizeof head) fail("cannot send");
    if (send(peer->socket, frame + HEAD, size - HEAD, MSG_NOSIGNAL) != (ssize_t)(size - HEAD)) fail("cannot send");
}

static void answer_ping(const struct connection *peer) {
    static const char pong[] = {(char)0x8A, (char)0x80, 0, 0, 0, 0};
    if (send(peer->socket, pong, sizeof pong, MSG_NOSIGNAL) != sizeof pong) fail("cannot send");
}

/* Takes what is there: the message, before it or behind it pings. Whether the message is whole then. */
static int receive(struct connection *peer) {
    static const char ping[] = {(char)0x89, 0};
    for (;;) {
        int between = peer->received == 0 || peer->received == size;
        size_t wanted = peer->received == size ? sizeof ping : size - peer->received;
        ssize_t count = recv(peer->socket, answer, wanted, MSG_DONTWAIT);
        if (count < 0 && errno == EAGAIN) return peer->received == size;
        if (count <= 0) fail("the server has closed a connection");
        while (between && count) {
            if (count == 1 && recv(peer->socket, answer + count++, 1, MSG_WAITALL) != 1) fail("half a head came");
            if (memcmp(answer, ping, sizeof ping)) break;
            answer_ping(peer);
            count -= sizeof ping;
            memmove(answer, answer + sizeof ping, count);
        }
        if (count > (ssize_t)(size - peer->received)) fail("more came than was sent");
        if (memcmp(answer, frame + peer->received, count)) fail("what came is not what was sent");
        peer->received += count;
    }
}

static unsigned long percentile(double part) {
    unsigned long seen = 0, wanted = part * messages, at = 0;
    while (at < LONGEST - 1 && (seen += latencies[at]) <= wanted) at++;
    return at;
}

static void broadcast(struct connection *peers, int count, int epoll) {
    struct epoll_event ready[512];
    double sent = now();
    for (int i = 0; i < count; i++) peers[i].received = 0;
    send_message(&peers[0]);
    for (int left = count; left;) {
        int events = epoll_wait(epoll, ready, 512, 10000);
        if (events == 0) fail("nothing came for ten seconds");
        for (int i = 0; i < events; i++) {
            struct connection *peer = ready[i].data.ptr;
            int whole = peer->received == size;
            if (!receive(peer) || whole) continue;
            unsigned long taken = (now() - sent) * 1e6;
            latencies[taken < LONGEST ? taken : LONGEST - 1]++;
            messages++;
            left--;
        }
    }
}

static void run(struct connection *peers, int count, int epoll, double seconds) {
    static unsigned number;
    double began, ended;
    messages = 0;
    memset(latencies, 0, sizeof latencies);
    for (began = ended = now(); ended - began < seconds; ended = now()) {
        make_message(number++);
        broadcast(peers, count, epoll);
    }
    printf("%lu messages in %.3f s, p50 %lu us, p99 %lu us\n", messages, ended - began, percentile(0.5),
           percentile(0.99));
    fflush(stdout);
}

int main(int argc, char **argv) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct rlimit files;
    char line[32];
    if (argc != 4) return 2;
    address.sin_port = htons(atoi(argv[1]));
    int count = atoi(argv[2]), epoll = epoll_create1(0);
    size = atol(argv[3]) + HEAD;
    if (count < 1 || size < 126 + HEAD || size > 65535 + HEAD) return 2;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    struct connection *peers = calloc(count, sizeof *peers);
    if (!peers || !(answer = malloc(size)) || !(frame = malloc(size))) fail("no memory");
    for (int i = 0; i < count; i++) {
        struct epoll_event interest = {.events = EPOLLIN | EPOLLET, .data.ptr = &peers[i]};
        begin(&peers[i], &address);
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, peers[i].socket, &interest)) fail("cannot watch a connection");
    }
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) run(peers, count, epoll, atof(line));
    return 0;
}
