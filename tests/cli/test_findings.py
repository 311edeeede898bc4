from __future__ import annotations

import re
from typing import Any

import pytest

from gustnado.cli.findings import LEAST_SECRET, list_routes, look_over
from gustnado.http.delegates import HTTPServerConnectionDelegate
from gustnado.web import Application, Matcher, RequestHandler, Rule, RuleRouter, StaticFileHandler, URLSpec
from gustnado.web.routing import HostMatches, PathMatches

GOOD_SECRET = "b1JvQ2x4c0ZqUWtWb1pyT2VNd0h5Z1dQ"


class Home(RequestHandler):
    pass


class Other(RequestHandler):
    pass


class Delegate(HTTPServerConnectionDelegate):
    pass


def handle(request) -> None:
    pass


def shown(app: Application) -> list[tuple[str, str, str | None, str | None]]:
    return [
        (route.pattern, route.target.rpartition(".")[2], route.name, route.host) for route in list_routes(app)
    ]


def test_routes_in_the_order_in_which_they_are_tried() -> None:
    app = Application([("/", Home), URLSpec("/a/(.*)", Other, name="a")])
    app.add_handlers(r"www\.example\.org", [("/", Other)])
    assert shown(app) == [
        ("/", "Other", None, r"www\.example\.org$"),
        ("/", "Home", None, None),
        ("/a/(.*)", "Other", "a", None),
    ]


def test_static_files_and_all_kinds_of_targets(tmp_path) -> None:
    class ByMethod(Matcher):
        pass

    routes: list[Any] = [
        Rule(PathMatches("/delegate"), Delegate()),
        Rule(PathMatches("/function"), handle),
        Rule(ByMethod(), Home),
        Rule(HostMatches("a"), RuleRouter([Rule(PathMatches("/inner"), handle)])),
        (r"/nested/.*", [("/nested/b", Home)]),
    ]
    assert shown(Application(routes, static_path=str(tmp_path)))[3:] == [
        ("/delegate", "Delegate", None, None),
        ("/function", "handle", None, None),
        (f"({ByMethod.__qualname__})", "Home", None, None),
        ("/inner", "handle", None, "a$"),
        ("/nested/.*/nested/b", "Home", None, None),
    ]
    assert shown(Application([], static_path=str(tmp_path)))[0][:2] == ("/static/(.*)", StaticFileHandler.__name__)


@pytest.mark.parametrize(
    ("settings", "warning"),
    [
        ({"debug": True, "autoreload": False}, "debug is on"),
        ({"serve_traceback": True}, "serve_traceback is on"),
        ({"cookie_secret": "x", "xsrf_cookies": True}, "cookie_secret has 1 bytes"),
        ({"cookie_secret": b"x" * 31, "xsrf_cookies": True}, "cookie_secret has 31 bytes"),
        ({"cookie_secret": "x" * 64, "xsrf_cookies": True}, "cookie_secret repeats few characters"),
        ({"cookie_secret": {1: GOOD_SECRET, 2: "x"}, "xsrf_cookies": 1}, "cookie_secret of key version 2 has 1 bytes"),
        ({"cookie_secret": GOOD_SECRET}, "cookies sign users in, and xsrf_cookies is off"),
        ({"login_url": "/login"}, "cookies sign users in, and xsrf_cookies is off"),
        ({"static_path": "/no/such/folder"}, "static_path is no directory: /no/such/folder"),
        ({"template_path": "tests"}, "template_path is relative"),
    ],
)
def test_each_unsafe_setting_is_found_alone(settings, warning: str, monkeypatch) -> None:
    monkeypatch.chdir(re.sub(r"/tests/cli/.*", "", __file__))
    found = look_over(Application([("/", Home)], **settings))
    assert len(found) == 1
    assert found[0].what.startswith(warning)
    assert found[0].remedy


def test_autoreload_is_found() -> None:
    app = Application([])
    app.settings["autoreload"] = True
    assert [finding.what for finding in look_over(app)] == ["autoreload is on: a changed file drops all requests"]


def test_a_handler_that_is_never_reached_is_found() -> None:
    (finding,) = look_over(Application([("/", Home), ("/a", Home), ("/", Other)]))
    assert re.match(r".*Other is never reached: .*Home has the same pattern /$", finding.what)


def test_what_is_safe_gives_no_warning(tmp_path) -> None:
    assert len(GOOD_SECRET) >= LEAST_SECRET
    settings: dict[str, Any] = {"cookie_secret": {1: GOOD_SECRET}, "xsrf_cookies": True, "login_url": "/in"}
    settings["static_path"] = str(tmp_path)
    assert look_over(Application([("/", Home)], **settings)) == []
    assert look_over(Application([("/", Home)], cookie_secret=GOOD_SECRET, xsrf_cookies=True)) == []
