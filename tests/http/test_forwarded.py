"""``Forwarded``, RFC 7239: what is read, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.errors import HTTPInputError
from gustnado.http.forwarded import MAX_ELEMENTS, ForwardedElement, parse_forwarded, parse_node


class TestElements:
    @pytest.mark.parametrize(
        ("value", "elements"),
        [
            ('for="_gazonk"', [ForwardedElement("_gazonk")]),
            ('For="[2001:db8:cafe::17]:4711"', [ForwardedElement("2001:db8:cafe::17")]),
            (
                "for=192.0.2.60;proto=http;by=203.0.113.43",
                [ForwardedElement("192.0.2.60", "203.0.113.43", None, "http")],
            ),
            ("for=192.0.2.43, for=198.51.100.17", [ForwardedElement("192.0.2.43"), ForwardedElement("198.51.100.17")]),
            ('host="example.org:80" ; proto=HTTPS', [ForwardedElement(None, None, "example.org:80", "https")]),
            ('for="192.0.2.1:_port"', [ForwardedElement("192.0.2.1")]),
            ("for=unknown", [ForwardedElement("unknown")]),
            ("secret=x;for=192.0.2.1", [ForwardedElement("192.0.2.1")]),
            ('for="192.0.2.\\1"', [ForwardedElement("192.0.2.1")]),
        ],
    )
    def test_as_the_rfc_has_them(self, value: str, elements: list) -> None:
        assert parse_forwarded(value) == elements

    @pytest.mark.parametrize(
        "value",
        [
            "",
            ",",
            "for",
            "for=",
            "for=192.0.2.1,",
            "for=192.0.2.1;",
            "for=192.0.2.1 for=192.0.2.2",
            "for=1.1.1.1;for=2.2.2.2",
            "for=1.1.1.1;FOR=2.2.2.2",
            "for = 192.0.2.1",
            'for="192.0.2.1',
            'for="x, for=192.0.2.1',
            'for="x, for="[2001:db8::1]"',
            "for=[2001:db8::1]",
            'for="[2001:db8::1]x"',
            'for="[2001:db8::1"',
            "for=2001:db8::1",
            'for="[192.0.2.1]"',
            'for="192.0.2.1:"',
            'for="192.0.2.1:port"',
            'for="192.0.2.1:123456"',
            "for=example.org",
            "host=example.org:80",
            'host="a b"',
            'host="a,b"',
            "for=192.0.2.1\x00",
        ],
    )
    def test_what_is_malformed_is_refused(self, value: str) -> None:
        with pytest.raises(HTTPInputError) as caught:
            parse_forwarded(value)
        assert caught.value.status == 400

    def test_elements_are_bounded(self) -> None:
        assert len(parse_forwarded(", ".join(["for=192.0.2.1"] * MAX_ELEMENTS))) == MAX_ELEMENTS
        with pytest.raises(HTTPInputError, match="more than"):
            parse_forwarded(", ".join(["for=192.0.2.1"] * (MAX_ELEMENTS + 1)))

    @given(st.text(st.characters(max_codepoint=255)))
    def test_anything_is_read_or_refused(self, value: str) -> None:
        try:
            assert parse_forwarded(value)
        except HTTPInputError:
            pass

    @given(st.text(st.sampled_from('fortp=;:,"\\ []_.19az')))
    def test_what_comes_in_front_cannot_hide_the_last_element(self, forged: str) -> None:
        """A client sends the first part; the proxy adds its element to the end of the line."""
        try:
            elements = parse_forwarded(f"{forged}, for=192.0.2.1")
        except HTTPInputError:
            return
        assert elements[-1].client == "192.0.2.1"

    def test_it_is_linear(self, assert_linear) -> None:
        assert_linear(lambda n: lambda: _refuse('for="' + "\\a" * n), 500)
        assert_linear(lambda n: lambda: _refuse("a" * n), 500)


def _refuse(value: str) -> None:
    with pytest.raises(HTTPInputError):
        parse_forwarded(value)


class TestNodes:
    @given(st.ip_addresses(v=4), st.integers(0, 65535))
    def test_ipv4(self, address, port: int) -> None:
        assert parse_node(f"{address}:{port}") == parse_node(str(address)) == str(address)

    @given(st.ip_addresses(v=6), st.integers(0, 65535))
    def test_ipv6(self, address, port: int) -> None:
        assert parse_node(f"[{address}]:{port}") == parse_node(f"[{address}]") == str(address)
