"""Which proxies are believed, and which address of a chain is the client's."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.http.proxies import TrustedProxies, read_address

ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)


class TestAddresses:
    @pytest.mark.parametrize(
        ("text", "address"),
        [
            (" 192.0.2.1\t", "192.0.2.1"),
            ("192.0.2.1:80", "192.0.2.1"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:DB8:0::1", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("", None),
            ("unknown", None),
            ("_hidden", None),
            ("192.0.2.256", None),
            ("192.0.2.1\r\n", None),
            ("4.4.4.4<script>", None),
            ("[2001:db8::1", "2001:db8::1"),
        ],
    )
    def test_what_is_one(self, text: str, address: str | None) -> None:
        assert read_address(text) == address

    @given(st.text())
    def test_nothing_but_an_address_comes_out(self, text: str) -> None:
        address = read_address(text)
        assert address is None or str(ipaddress.ip_address(address)) == address


class TestTrust:
    def test_addresses_and_networks(self) -> None:
        proxies = TrustedProxies(["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"])
        assert all(map(proxies.trusts, ["10.1.2.3", "192.0.2.1", "2001:db8:1::", "::ffff:10.0.0.1"]))
        assert not any(map(proxies.trusts, ["11.0.0.0", "192.0.2.2", "2001:db9::", "", "example.org", None]))

    def test_peers_on_a_unix_socket(self) -> None:
        assert TrustedProxies(["unix"]).trusts(None)
        assert not TrustedProxies(["unix"]).trusts("127.0.0.1")

    def test_what_was_found_out_is_remembered_but_not_endlessly(self) -> None:
        proxies = TrustedProxies(["10.0.0.0/8"])
        for number in range(5000):
            address = str(ipaddress.IPv4Address(0x0A000000 + number))
            assert proxies.trusts(address)
            assert proxies.trusts(address)
        assert len(proxies._remembered) <= 1024

    @pytest.mark.parametrize("item", ["10.0.0.1/8", "localhost", "10.0.0.0/33", "", "10.0.0.1:80"])
    def test_what_is_neither_is_named(self, item: str) -> None:
        with pytest.raises(ValueError, match=f"trusted proxy {item!r}"):
            TrustedProxies([item])

    @pytest.mark.parametrize("number", [0, -1])
    def test_no_proxy_is_no_number_of_proxies(self, number: int) -> None:
        with pytest.raises(ValueError, match="1 or more"):
            TrustedProxies(number)

    @pytest.mark.parametrize("value", ["10.0.0.1", True])
    def test_neither_is_a_string_nor_a_bool(self, value) -> None:
        with pytest.raises(TypeError, match="list of addresses"):
            TrustedProxies(value)


class TestChains:
    PROXIES = TrustedProxies(["10.0.0.0/8"])

    @pytest.mark.parametrize(
        ("chain", "client"),
        [
            ([], "10.0.0.1"),
            (["203.0.113.9"], "203.0.113.9"),
            (["198.51.100.1", "203.0.113.9"], "203.0.113.9"),
            (["198.51.100.1", "203.0.113.9", "10.0.0.3", "10.0.0.2"], "203.0.113.9"),
            (["10.0.0.9", "10.0.0.3"], "10.0.0.9"),
            (["203.0.113.9", None], "10.0.0.1"),
            (["203.0.113.9", None, "10.0.0.2"], "10.0.0.1"),
        ],
    )
    def test_the_last_address_that_is_no_proxy(self, chain: list, client: str) -> None:
        assert self.PROXIES.client(chain, "10.0.0.1") == client

    def test_a_peer_that_is_no_proxy_is_the_client(self) -> None:
        assert self.PROXIES.client(["203.0.113.9"], "192.0.2.1") == "192.0.2.1"
        assert self.PROXIES.client(["203.0.113.9"], None) is None

    @pytest.mark.parametrize(("hops", "client"), [(1, "c"), (2, "b"), (3, "a"), (4, "peer"), (100, "peer")])
    def test_a_number_of_proxies_counts_from_the_end(self, hops: int, client: str) -> None:
        assert TrustedProxies(hops).client(["a", "b", "c"], "peer") == client

    @given(st.lists(ADDRESSES, max_size=5), ADDRESSES)
    def test_what_a_client_adds_in_front_changes_nothing(self, forged: list[str], client: str) -> None:
        proxies = TrustedProxies(["192.0.2.0/24"])
        if proxies.trusts(client):
            return
        honest = proxies.client([client, "192.0.2.2"], "192.0.2.1")
        assert proxies.client([*forged, client, "192.0.2.2"], "192.0.2.1") == honest == client
