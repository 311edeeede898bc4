/* The load of an echo server: each connection sends a message, waits until all of it has come back, and sends
   the next. What comes back is compared byte by byte. Prints one line:
   "<messages> messages in <seconds> s, p50 <microseconds> us, p99 <microseconds> us".
   Usage: echo_load PORT CONNECTIONS BYTES SECONDS */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define LONGEST 1000000 /* microseconds that the table of latencies tells apart */

struct connection {
    int socket;
    size_t sent, received;
    double began;
    char *message;
};

static size_t size;
static unsigned long messages, latencies[LONGEST];
static char *answer;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void fail(const char *what) {
    fprintf(stderr, "echo_load: %s (%s)\n", what, strerror(errno));
    exit(1);
}

/* Messages of different connections differ, and so do neighbouring parts of one. */
static void begin(struct connection *peer, int number, const struct sockaddr_in *address) {
    int one = 1;
    peer->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(peer->socket, (const struct sockaddr *)address, sizeof *address)) fail("cannot connect");
    setsockopt(peer->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!(peer->message = malloc(size))) fail("no memory");
    for (size_t i = 0; i < size; i++) peer->message[i] = (char)(number + i * 7 + i / 251);
}

static void send_more(struct connection *peer) {
    ssize_t count;
    if (peer->sent == 0) peer->began = now();
    while (peer->sent < size) {
        count = send(peer->socket, peer->message + peer->sent, size - peer->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0) fail("cannot send");
        peer->sent += count;
    }
}

static void receive(struct connection *peer) {
    ssize_t count = recv(peer->socket, answer, size - peer->received, MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) fail("the server has closed a connection");
    if (memcmp(answer, peer->message + peer->received, count)) fail("what came back is not what was sent");
    if ((peer->received += count) < size) return;
    unsigned long taken = (now() - peer->began) * 1e6;
    latencies[taken < LONGEST ? taken : LONGEST - 1]++;
    messages++;
    peer->sent = peer->received = 0;
    send_more(peer);
}

static unsigned long percentile(double part) {
    unsigned long seen = 0, wanted = part * messages, at = 0;
    while (at < LONGEST - 1 && (seen += latencies[at]) <= wanted) at++;
    return at;
}

int main(int argc, char **argv) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event ready[256];
    if (argc != 5) return 2;
    address.sin_port = htons(atoi(argv[1]));
    int count = atoi(argv[2]), epoll = epoll_create1(0);
    size = atol(argv[3]);
    double seconds = atof(argv[4]), began, ended;
    struct connection *peers = calloc(count, sizeof *peers);
    if (!peers || !(answer = malloc(size))) fail("no memory");
    for (int i = 0; i < count; i++) {
        struct epoll_event interest = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = &peers[i]};
        begin(&peers[i], i, &address);
        epoll_ctl(epoll, EPOLL_CTL_ADD, peers[i].socket, &interest);
    }
    for (began = ended = now(); ended - began < seconds; ended = now()) {
        int events = epoll_wait(epoll, ready, 256, 1000);
        if (events == 0) fail("nothing came back for a second");
        for (int i = 0; i < events; i++) {
            struct connection *peer = ready[i].data.ptr;
            if (peer->sent < size) send_more(peer);
            /* Edge-triggered: take all there is, of this message and of those that follow it at once. */
            for (size_t before = ~(size_t)0; before != peer->received;) {
                unsigned long already = messages;
                before = peer->received;
                receive(peer);
                if (messages != already) before = ~(size_t)0;
            }
        }
    }
    printf("%lu messages in %.3f s, p50 %lu us, p99 %lu us\n", messages, ended - began, percentile(0.5),
           percentile(0.99));
    return 0;
}
