"""S13: users that log in, and are known by a signed cookie."""

from __future__ import annotations

import pytest

LOGIN = """
    import tornado.web
    from tornado.ioloop import IOLoop
    from tornado.web import Application, RequestHandler
    from database import DB

    class BaseHandler(RequestHandler):
        @property
        def db(self):
            return self.application.settings["db"]

        def get_current_user(self):
            token = self.get_secure_cookie("token")
            user = self.db.users.find_one({"token": token})
            return user or None

    class LoginHandler(BaseHandler):
        def post(self):
            if self.current_user:
                self.redirect("/dashboard")
            username = self.get_argument("username")
            password = self.get_argument("password")
            user = self.db.find_one({"username": username})
            if not user or user.password != password:
                return self.redirect("/login")
            self.set_secure_cookie("token", user.token)
            self.redirect("/dashboard")

    class Dashboard(BaseHandler):
        @tornado.web.authenticated
        def get(self):
            self.render("dashboard.htm", user=self.current_user)

    app = Application([
        ("/login", LoginHandler),
        ("/dashboard", Dashboard),
    ], db=DB(), cookie_secret="as secret as can be", login_url="/login")
    app.listen(8080)
    IOLoop.instance().start()
"""

LATER = """\
async def get_current_user(self):
            import asyncio
            await asyncio.sleep(0)
            token"""

FILES = {
    "dashboard.htm": "<h1>{{ user.username }}</h1>",
    "database.py": """
        class User:
            username, password, token = "ada", "wind<y>", "t0k3n"

        class DB:
            @property
            def users(self):
                return self

            def find_one(self, query):
                (name, value), = query.items()
                if isinstance(value, bytes):
                    value = value.decode()
                return User() if getattr(User, name) == value else None
    """,
}


def login(program, username="ada", password="wind%3Cy%3E", **headers):
    fields = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    return program.fetch("/login", "POST", f"username={username}&password={password}", fields)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_the_way_in(serve, asynchronous):
    text = LOGIN
    if asynchronous:
        text = text.replace("def get_current_user(self):\n            token", LATER)
        assert "async def" in text
    program = serve(text, FILES)

    stranger = program.fetch("/dashboard?x=1")
    assert (stranger.code, stranger.headers["Location"]) == (302, "/login?next=%2Fdashboard%3Fx%3D1")

    for wrong in ({"password": "rain"}, {"username": "eve"}):
        refused = login(program, **wrong)
        assert (refused.code, refused.headers["Location"]) == (302, "/login")
        assert "Set-Cookie" not in refused.headers

    welcome = login(program)
    assert (welcome.code, welcome.headers["Location"]) == (302, "/dashboard")
    cookie = welcome.cookie("token")
    assert cookie.startswith('token="2|1:0|')
    assert "t0k3n" not in cookie

    dashboard = program.fetch("/dashboard", headers={"Cookie": cookie})
    assert (dashboard.code, dashboard.text) == (200, "<h1>ada</h1>")

    forged = cookie[:-2] + ("0" if cookie[-2] != "0" else "1") + cookie[-1]
    assert program.fetch("/dashboard", headers={"Cookie": forged}).code == 302
    assert program.fetch("/login", "POST", "").code == 400

    # Who is in is led on. The slide goes on after that redirect: what fails then is in the log, and not the
    # client's business.
    again = login(program, Cookie=cookie)
    assert (again.code, again.headers["Location"]) == (302, "/dashboard")
    assert "Cannot redirect after headers have been written" in program.written()
