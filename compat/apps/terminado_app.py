"""A shell behind a WebSocket, as in terminado's own demos: /shared is one for all, /unique one for each client."""

import sys

import tornado.ioloop
import tornado.web
from terminado import NamedTermManager, TermSocket, UniqueTermManager

SHELL = ["bash", "--norc", "--noprofile"]


def main():
    shared = NamedTermManager(shell_command=SHELL, ioloop=tornado.ioloop.IOLoop.current())
    unique = UniqueTermManager(shell_command=SHELL, ioloop=tornado.ioloop.IOLoop.current())
    app = tornado.web.Application(
        [
            (r"/shared/(\w+)", TermSocket, {"term_manager": shared}),
            (r"/(unique)", TermSocket, {"term_manager": unique}),
        ]
    )
    app.listen(int(sys.argv[1]), "127.0.0.1")
    try:
        tornado.ioloop.IOLoop.current().start()
    except KeyboardInterrupt:
        print("shutting down")
    finally:
        for manager in (shared, unique):
            tornado.ioloop.IOLoop.current().run_sync(manager.shutdown)


main()
