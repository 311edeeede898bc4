/* The limit: an epoll loop that reads whatever came and answers the same bytes. No server can do less.
   The answer has the shape of Gustnado's own (same fields, same sizes). Usage: limit PORT */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

static const char answer[] =
    "HTTP/1.1 200 OK\r\nServer: Gustnado/0.1.0\r\nContent-Type: text/html; charset=UTF-8\r\n"
    "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nEtag: \"943a702d06f34599aee1f8da8ef9f7296031d699\"\r\n"
    "Content-Length: 13\r\n\r\nHello, world!";

int main(int argc, char **argv) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM, 0), epoll = epoll_create1(0), one = 1;
    struct epoll_event ready[256], interest = {.events = EPOLLIN, .data.fd = listener};
    static char request[65536];

    address.sin_port = htons(argc > 1 ? atoi(argv[1]) : 8888);
    signal(SIGPIPE, SIG_IGN);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024)) return 1;
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &interest);
    for (;;) {
        int count = epoll_wait(epoll, ready, 256, -1);
        for (int i = 0; i < count; i++) {
            int peer = ready[i].data.fd;
            if (peer == listener) {
                if ((interest.data.fd = accept(listener, NULL, NULL)) < 0) continue;
                setsockopt(interest.data.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                epoll_ctl(epoll, EPOLL_CTL_ADD, interest.data.fd, &interest);
            } else if (read(peer, request, sizeof request) <= 0 ||
                       write(peer, answer, sizeof answer - 1) < 0) {
                close(peer);
            }
        }
    }
}
