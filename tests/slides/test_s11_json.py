"""S11: a JSON body, settings as keywords, a dict as a JSON response, and a program that reloads itself."""

from __future__ import annotations

import http.client

USERS = """
    import json
    import pymongo
    from tornado.web import RequestHandler, Application
    from tornado.ioloop import IOLoop

    class Users(RequestHandler):
        def post(self):
            content = json.loads(self.request.body)
            # application is available from the handler
            id = self.application.settings["database"].save(content)
            # a dictionary passed to write == JSON
            self.write({
                "id": "%s" % (id),
                "name": content["name"]
            })

    app = Application([("/users", Users)],
        debug=True, # for automatic reloading
        database=pymongo.Connection()["mydatabase"])
    app.listen(8080)
    IOLoop.instance().start()
"""

FILES = {
    "pymongo.py": """
        class Database(list):
            def save(self, content):
                self.append(content)
                return len(self)

        class Connection:
            def __getitem__(self, name):
                return Database()
    """
}


def test_json_in_and_out(serve, style):
    program = serve(USERS, FILES)
    for number in (1, 2):
        response = program.fetch("/users", "POST", '{"name": "Ad\\u00e4"}')
        assert response.json == {"id": str(number), "name": "Ad\u00e4"}
        assert response.headers["Content-Type"] == "application/json; charset=UTF-8"
    # Programs for Tornado get the standard library's spelling, byte for byte.
    assert response.body.startswith(b'{"id": "2", ' if style == "as_tornado" else b'{"id":"2",')

    # A body that is no JSON is an error, which debug shows.
    response = program.fetch("/users", "POST", "wind")
    assert response.code == 500
    assert "Traceback (most recent call last):" in response.text.splitlines()
    assert "JSONDecodeError" in response.text.splitlines()[-1]
    assert "JSONDecodeError" in program.written()


def test_an_edit_reloads(serve):
    program = serve(USERS, FILES)

    def name():
        try:
            return program.fetch("/users", "POST", '{"name": "ada"}').json["name"]
        except (OSError, http.client.HTTPException):
            return None  # it restarts just now

    assert name() == "ada"
    before = program.process.pid
    program.write(USERS.replace('content["name"]', 'content["name"].upper()'))
    program.until(lambda: name() == "ADA")
    assert program.process.pid == before
