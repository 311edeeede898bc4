from __future__ import annotations

from typing import Any

import pytest

from gustnado.http.messages import HTTPServerRequest
from gustnado.web import Application, RequestHandler
from gustnado.web.errors import HTTPError, MissingArgumentError


def handler(query: str = "", form: dict[str, list[bytes]] | None = None, cls: Any = RequestHandler) -> Any:
    request = HTTPServerRequest("POST", "/?" + query)
    request.body_arguments = form or {}
    return cls(Application(), request)


def test_the_last_of_several_and_the_body_comes_last():
    here = handler("a=1&a=2&b=3", {"a": [b"4"]})
    assert here.get_argument("a") == "4"
    assert here.get_arguments("a") == ["1", "2", "4"]
    assert here.get_query_argument("a") == "2"
    assert here.get_query_arguments("a") == ["1", "2"]
    assert here.get_body_argument("a") == "4"
    assert here.get_body_arguments("a") == ["4"]


@pytest.mark.parametrize("method", ["get_argument", "get_query_argument", "get_body_argument"])
def test_a_missing_argument_is_400_or_the_default(method):
    here = handler()
    with pytest.raises(MissingArgumentError) as caught:
        getattr(here, method)("a")
    assert (caught.value.status_code, caught.value.arg_name) == (400, "a")
    assert getattr(here, method)("a", "b") == "b"
    assert getattr(here, method)("a", None) is None


@pytest.mark.parametrize("method", ["get_arguments", "get_query_arguments", "get_body_arguments"])
def test_none_are_an_empty_list(method):
    assert getattr(handler(), method)("a") == []


def test_white_space_around_is_dropped_unless_asked_for():
    here = handler("a=+x+")
    assert here.get_argument("a") == "x"
    assert here.get_argument("a", strip=False) == " x "
    assert here.get_arguments("a", strip=False) == [" x "]


def test_control_characters_become_spaces_but_not_those_of_text():
    here = handler("a=x%00y%1fz%7f&b=1%092%0a3%0d4")
    assert here.get_argument("a") == "x y z\x7f"
    assert here.get_argument("b") == "1\t2\n3\r4"


def test_what_is_not_utf_8_is_400():
    with pytest.raises(HTTPError, match=r"Invalid unicode in a: b'\\xe9'") as caught:
        handler("a=%E9").get_argument("a")
    assert caught.value.status_code == 400
    assert handler("a=%C3%A9").get_argument("a") == "\u00e9"


def test_get_arguments_takes_no_default():
    with pytest.raises(TypeError, match="takes no default"):
        handler().get_arguments("a", "default")


def test_decoding_may_be_overridden():
    class Latin(RequestHandler):
        def decode_argument(self, value, name=None):
            return f"{name}:{value.decode('latin-1')}"

    assert handler("a=%E9", cls=Latin).get_argument("a") == "a:\u00e9"

    class Bytes(RequestHandler):
        def decode_argument(self, value, name=None):
            return value

    assert handler("a=%00%E9+", cls=Bytes).get_argument("a") == b"\x00\xe9"


def test_a_route_may_give_text():
    assert handler().decode_argument("/already text") == "/already text"
