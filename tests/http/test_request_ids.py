from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.errors import UsageError
from gustnado.http.headers import HTTPHeaders
from gustnado.http.messages import HTTPServerRequest
from gustnado.http.request_ids import RequestIds


def test_ids_are_unique_also_among_servers() -> None:
    headers = HTTPHeaders()
    ids = [source.id_for(headers) for source in [RequestIds(), RequestIds()] for _ in range(1000)]
    assert len(set(ids)) == 2000


def test_a_client_cannot_choose_one_where_no_header_is_trusted() -> None:
    assert RequestIds().id_for(HTTPHeaders({"X-Request-Id": "mine"})) != "mine"


@pytest.mark.parametrize("given", ["a", "6f1c-77", "00-4bf92f3577b34da6a3ce929d0e0e4736-01", "a" * 128, "x/y=+@~:."])
def test_the_trusted_header_is_taken(given: str) -> None:
    assert RequestIds("X-Request-ID").id_for(HTTPHeaders({"x-request-id": given})) == given


@pytest.mark.parametrize("given", ["", "a" * 129, "two words", 'quo"te', "bra{ce", "é", "a,b", "$(x)"])
def test_what_is_no_id_is_replaced(given: str) -> None:
    made = RequestIds("X-Id").id_for(HTTPHeaders({"X-Id": given}))
    assert made
    assert made != given


def test_a_header_that_is_there_twice_is_no_id() -> None:
    headers = HTTPHeaders({"X-Id": "a"})
    headers.add("X-Id", "b")
    assert RequestIds("X-Id").id_for(headers) not in ("a", "b", "a,b")


@given(st.text(max_size=200))
def test_an_id_never_needs_escapes(value: str) -> None:
    class Headers:
        def get(self, name: str) -> str:
            return value

    made = RequestIds("X-Id").id_for(Headers())  # type: ignore[arg-type]
    assert made.isascii() and made.isprintable() and 1 <= len(made) <= 128
    assert not set(made) & set(" \"'\\{}<>&;$`")


@pytest.mark.parametrize("name", ["", "X Request", "X:Id", "é"])
def test_a_name_that_is_no_field_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="no name of a header field"):
        RequestIds(name)


def test_a_request_keeps_its_id_and_may_be_given_one() -> None:
    request = HTTPServerRequest("GET", "/")
    assert request.request_id == request.request_id != HTTPServerRequest("GET", "/").request_id
    request.request_id = "set"
    assert request.request_id == "set"
