"""Tests for gustnado.http.ws.extensions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.extensions import PerMessageDeflate

from gustnado.http.ws.errors import WebSocketHandshakeError
from gustnado.http.ws.extensions import (
    DeflateOptions,
    DeflateParameters,
    OptionsError,
    accept_offer,
    accept_response,
    parse_extensions,
    parse_tokens,
)


def agreed(offer, **options):
    return accept_offer(parse_extensions(offer), DeflateOptions(**options))


def test_extensions_are_read_in_order():
    value = 'foo, permessage-deflate; a; b=1 ; c="x" ,bar;d = 2'
    assert parse_extensions(value) == [
        ("foo", {}),
        ("permessage-deflate", {"a": None, "b": "1", "c": "x"}),
        ("bar", {"d": "2"}),
    ]
    assert parse_extensions("") == []


@pytest.mark.parametrize(
    "value",
    [
        ",", "a,", ",a", "a,,b", ";a", "a;", "a;=1", "a; b=", 'a; b="', 'a; b=""', 'a; b="x y"', "a b", "a; b c",
        "a; b; b", "a/b", "\xe9",
    ],
)  # fmt: skip
def test_malformed_extensions_are_refused(value):
    """112."""
    with pytest.raises(WebSocketHandshakeError, match="malformed Sec-WebSocket-Extensions") as caught:
        parse_extensions(value)
    assert caught.value.status == 400


@pytest.mark.parametrize("value", ["a", "a, chat.v2,b+json", "constructor"])
def test_words(value):
    assert parse_tokens("X", value) == value.replace(" ", "").split(",")


@pytest.mark.parametrize("value", [" ", ",", "a,", "a,a", "a b", "a;b", "a,\tb\x00"])
def test_words_that_are_none_or_come_twice(value):
    """112."""
    with pytest.raises(WebSocketHandshakeError, match="malformed Sec-WebSocket-Protocol"):
        parse_tokens("Sec-WebSocket-Protocol", value)


@pytest.mark.parametrize(
    "bomb", ["a; b=" + '"' * 16000, "a" + " " * 16000 + "b", "a;" * 8000, "a; b " * 4000, "," * 16000]
)
def test_long_fields_take_no_time(bomb):
    """112: the pattern must not go back and forth, which takes minutes where it does."""
    with pytest.raises(WebSocketHandshakeError):
        parse_extensions(bomb)


def test_what_is_offered_is_accepted():
    assert agreed("permessage-deflate") == DeflateParameters()
    assert agreed("permessage-deflate; client_max_window_bits").response() == "permessage-deflate"
    assert agreed("permessage-deflate; client_max_window_bits=10").client_max_window_bits == 10
    parameters = agreed("permessage-deflate; server_max_window_bits=9; server_no_context_takeover")
    assert parameters.response() == "permessage-deflate; server_no_context_takeover; server_max_window_bits=9"
    assert agreed("permessage-deflate; server_max_window_bits=8").server_max_window_bits == 8


def test_our_own_wishes_count():
    wishes = {'server_max_window_bits': 11, 'client_max_window_bits': 12, 'server_no_context_takeover': True}
    offer = "permessage-deflate; client_max_window_bits; server_max_window_bits=14"
    assert agreed(offer, **wishes) == DeflateParameters(True, False, 11, 12)
    # Who does not say that he can be told must not be told (RFC 7692 section 7.1.2.2).
    assert agreed("permessage-deflate", **wishes).client_max_window_bits == 15
    assert agreed("permessage-deflate; client_max_window_bits=9", **wishes).client_max_window_bits == 9
    assert agreed("permessage-deflate", client_no_context_takeover=True).client_no_context_takeover


@pytest.mark.parametrize(
    "parameter",
    [
        "server_max_window_bits", "server_max_window_bits=7", "server_max_window_bits=16", "server_max_window_bits=08",
        "server_max_window_bits=+9", "client_max_window_bits=99999999999999999999", "client_max_window_bits=x",
        "server_no_context_takeover=1", "client_no_context_takeover=true", "constructor", "unknown=1",
    ],
)  # fmt: skip
def test_an_offer_with_what_does_not_exist_is_declined(parameter):
    """112, RFC 7692 section 7.1: the next one may do."""
    assert agreed(f"permessage-deflate; {parameter}") is None
    assert agreed(f"permessage-deflate; {parameter}, permessage-deflate") == DeflateParameters()


def test_other_extensions_are_passed_over():
    """123: brotli and the like are not spoken."""
    assert agreed("permessage-brotli, x-webkit-deflate-frame") is None
    assert agreed("foo; a=1, permessage-deflate") == DeflateParameters()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"wbits": 3}, "no such compression option: 'wbits'; there are client_max"),
        ({"compression_level": 10}, "compression_level is 10, not a number from -1 to 9"),
        ({"mem_level": 0}, "mem_level is 0"),
        ({"mem_level": "8"}, "mem_level is '8'"),
        ({"server_max_window_bits": 7}, "server_max_window_bits is 7"),
        ({"client_max_window_bits": 16}, "client_max_window_bits is 16"),
    ],
)
def test_options_that_do_not_exist(options, words):
    with pytest.raises(OptionsError, match=words):
        DeflateOptions.of(options)


def test_tornados_options():
    assert DeflateOptions.of({}) == DeflateOptions()
    assert DeflateOptions.of({"compression_level": 1, "mem_level": 2}).mem_level == 2


def test_what_a_client_offers():
    assert DeflateOptions().offer() == "permessage-deflate; client_max_window_bits"
    offer = DeflateOptions(
        server_no_context_takeover=True, client_no_context_takeover=True,
        server_max_window_bits=10, client_max_window_bits=9,
    ).offer()  # fmt: skip
    assert offer == (
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
        "server_max_window_bits=10; client_max_window_bits=9"
    )


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ("permessage-deflate", DeflateParameters()),
        (
            "permessage-deflate; client_max_window_bits=9; server_max_window_bits=10",
            DeflateParameters(False, False, 10, 9),
        ),
        ("permessage-deflate; client_no_context_takeover; server_no_context_takeover", DeflateParameters(True, True)),
    ],
)
def test_what_a_server_chose(response, expected):
    assert accept_response(parse_extensions(response), DeflateOptions()) == expected


def test_a_server_that_chose_nothing():
    assert accept_response([], DeflateOptions()) is None
    assert accept_response([], None) is None


@pytest.mark.parametrize(
    ("response", "options"),
    [
        ("permessage-deflate", None),
        ("permessage-brotli", DeflateOptions()),
        ("permessage-deflate, permessage-deflate", DeflateOptions()),
        ("permessage-deflate; client_max_window_bits", DeflateOptions()),
        ("permessage-deflate; client_max_window_bits=7", DeflateOptions()),
        ("permessage-deflate; foo", DeflateOptions()),
        ("permessage-deflate; server_max_window_bits=12", DeflateOptions(server_max_window_bits=11)),
        ("permessage-deflate", DeflateOptions(server_no_context_takeover=True)),
    ],
)
def test_a_server_that_chose_what_was_not_offered(response, options):
    """113, 116."""
    with pytest.raises(WebSocketHandshakeError, match="the server"):
        accept_response(parse_extensions(response), options)


bits = st.integers(9, 15)


@given(st.booleans(), st.booleans(), bits, bits)
def test_wsproto_agrees_on_what_we_offer(server_free, client_free, server_bits, client_bits):
    options = DeflateOptions(
        server_no_context_takeover=server_free, client_no_context_takeover=client_free,
        server_max_window_bits=server_bits, client_max_window_bits=client_bits,
    )  # fmt: skip
    peer = PerMessageDeflate()
    answer = peer.accept(options.offer())
    assert isinstance(answer, str)
    found = accept_response(parse_extensions(f"permessage-deflate; {answer}".rstrip("; ")), options)
    assert found is not None
    assert found.server_max_window_bits == peer.server_max_window_bits
    assert found.server_no_context_takeover == peer.server_no_context_takeover
    assert found.client_max_window_bits <= peer.client_max_window_bits


@given(st.booleans(), st.booleans(), bits, bits)
def test_wsproto_understands_what_we_accept(server_free, client_free, server_bits, client_bits):
    peer = PerMessageDeflate(client_free, client_bits, server_free, server_bits)
    offer = peer.offer()
    assert isinstance(offer, str)
    parameters = agreed(f"permessage-deflate; {offer}")
    peer.finalize(parameters.response())
    assert peer.client_max_window_bits == parameters.client_max_window_bits
    assert peer.server_max_window_bits == parameters.server_max_window_bits
    assert peer.server_no_context_takeover == parameters.server_no_context_takeover
