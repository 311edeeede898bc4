"""S5: a long job is split into callbacks, and other work runs in between."""

from __future__ import annotations

SPLIT = """
    from itertools import islice
    from tornado.ioloop import IOLoop

    class DB:
        @staticmethod
        def slow_find():
            return iter(range(6))

    # blocking operation...
    results = DB.slow_find()

    def parse_results(results):
        for result in islice(results, 2):
            print("result", result)
            # do something
        else:
            if result == 5:
                return IOLoop.instance().stop()
        # let other things work for a while
        IOLoop.instance().add_callback(parse_results, results)

    def other_work():
        print("other work")
        IOLoop.instance().add_callback(other_work)

    IOLoop.instance().add_callback(parse_results, results)
    IOLoop.instance().add_callback(other_work)
    IOLoop.instance().start()
"""

SERVING = """
    from itertools import count, islice
    from tornado.ioloop import IOLoop
    from tornado.web import Application, RequestHandler

    class DB:
        @staticmethod
        def slow_find():
            return count()

    parsed = 0

    # blocking operation...
    results = DB.slow_find()

    def parse_results(results):
        global parsed
        for result in islice(results, 100):
            parsed += 1
        # let other things work for a while
        IOLoop.instance().add_callback(parse_results, results)

    class HomeHandler(RequestHandler):
        def get(self):
            self.write(str(parsed))

    parse_results(results)
    app = Application([("/", HomeHandler)])
    app.listen(8080)
    IOLoop.instance().start()
"""


def test_other_callbacks_run_in_between(launch):
    program = launch(SPLIT)
    assert program.wait() == 0
    lines = program.written().splitlines()
    assert [line for line in lines if line != "other work"] == [f"result {n}" for n in range(6)]
    for before, after in ((1, 2), (3, 4)):
        between = lines[lines.index(f"result {before}") + 1 : lines.index(f"result {after}")]
        assert set(between) == {"other work"}


def test_requests_are_answered_during_a_job_without_end(serve):
    program = serve(SERVING)
    first = int(program.fetch().text)
    later = program.until(lambda: [n for n in [int(program.fetch().text)] if n > first])[0]
    assert first >= 100
    assert first % 100 == later % 100 == 0
