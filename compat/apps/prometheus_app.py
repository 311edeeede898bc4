"""The Prometheus client in Tornado: as a handler, and as its WSGI application in Tornado's container."""

import sys

import tornado.ioloop
import tornado.web
import tornado.wsgi
from prometheus_client import Counter, Histogram, make_wsgi_app
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import CollectorRegistry

REGISTRY = CollectorRegistry()
ASKED = Counter("asked", "How often it was asked.", ["path"], registry=REGISTRY)
SIZES = Histogram("size_bytes", "Sizes of what was sent.", buckets=(1, 10, 100), registry=REGISTRY)


class Count(tornado.web.RequestHandler):
    def post(self, path):
        ASKED.labels(path=path).inc()
        SIZES.observe(len(self.request.body))


class Metrics(tornado.web.RequestHandler):
    def get(self):
        encoder, content_type = choose_encoder(self.request.headers.get("Accept"))
        self.set_header("Content-Type", content_type)
        self.write(encoder(REGISTRY))


def main():
    container = tornado.wsgi.WSGIContainer(make_wsgi_app(REGISTRY))
    app = tornado.web.Application(
        [
            (r"/count/(.*)", Count),
            (r"/handler", Metrics),
            (
                r"/metrics",
                tornado.web.FallbackHandler,
                {"fallback": container},
            ),
        ]
    )
    app.listen(int(sys.argv[1]), "127.0.0.1")
    tornado.ioloop.IOLoop.current().start()


main()
