"""What proxies say of a request, and who is believed."""

from __future__ import annotations

import socket
import types

import pytest

from gustnado.errors import HTTPInputError
from gustnado.http.context import ConnectionContext
from gustnado.http.delegates import HTTPMessageDelegate
from gustnado.http.headers import HTTPHeaders
from gustnado.http.proxies import TrustedProxies
from gustnado.http.proxy_headers import BelievedFields, ForwardedRequest

TRUSTED = TrustedProxies(["10.0.0.0/8"])


def seen(fields: BelievedFields, peer: str = "10.0.0.1", **headers: str) -> tuple[str, str]:
    """Address and protocol of a request with ``headers`` from ``peer``."""
    stream = types.SimpleNamespace(socket=types.SimpleNamespace(family=socket.AF_INET))
    context = ConnectionContext(stream, (peer, 4711), None)  # type: ignore[arg-type]
    told = fields.apply(context, HTTPHeaders({name.replace("_", "-"): v for name, v in headers.items()}))
    assert (context.remote_ip, context.protocol) == (peer, "http")
    return told.remote_ip, told.protocol


class TestAsTornado:
    """``xheaders=True`` alone: everybody is believed."""

    FIELDS = BelievedFields(downstream=["5.5.5.5"])

    @pytest.mark.parametrize(
        ("headers", "client"),
        [
            ({}, "10.0.0.1"),
            ({"X_Real_IP": "4.4.4.4"}, "4.4.4.4"),
            ({"X_Forwarded_For": "127.0.0.1, 4.4.4.4"}, "4.4.4.4"),
            ({"X_Forwarded_For": "4.4.4.4, 5.5.5.5"}, "4.4.4.4"),
            ({"X_Forwarded_For": "5.5.5.5"}, "5.5.5.5"),
            ({"X_Forwarded_For": "4.4.4.4", "X_Real_IP": "3.3.3.3"}, "3.3.3.3"),
            ({"X_Forwarded_For": "4.4.4.4", "X_Real_IP": "nonsense"}, "4.4.4.4"),
            ({"X_Real_IP": "4.4.4.4<script>"}, "10.0.0.1"),
            ({"X_Forwarded_For": "4.4.4.4<script>"}, "10.0.0.1"),
            ({"X_Real_IP": "www.google.com"}, "10.0.0.1"),
            ({"X_Real_IP": "2620:0:1cfe:face:b00c::3"}, "2620:0:1cfe:face:b00c::3"),
            ({"X_Forwarded_For": ", ".join(["1.1.1.1"] * 999 + ["4.4.4.4"])}, "4.4.4.4"),
        ],
    )
    def test_addresses(self, headers: dict, client: str) -> None:
        assert seen(self.FIELDS, **headers) == (client, "http")

    @pytest.mark.parametrize(
        ("headers", "protocol"),
        [
            ({"X_Scheme": "https"}, "https"),
            ({"X_Forwarded_Proto": "https"}, "https"),
            ({"X_Forwarded_Proto": "http, https"}, "https"),
            ({"X_Forwarded_Proto": "https,http"}, "http"),
            ({"X_Scheme": "https", "X_Forwarded_Proto": "http"}, "https"),
            ({"X_Forwarded_Proto": "unknown"}, "http"),
            ({"X_Forwarded_Proto": "https<script>"}, "http"),
            ({"X_Forwarded_Proto": ""}, "http"),
        ],
    )
    def test_protocols(self, headers: dict, protocol: str) -> None:
        assert seen(self.FIELDS, **headers) == ("10.0.0.1", protocol)


class TestTrustedPeers:
    FIELDS = BelievedFields(trusted=TRUSTED)

    def test_others_are_ignored(self) -> None:
        told = {"X_Forwarded_For": "4.4.4.4", "X_Forwarded_Proto": "https", "X_Real_IP": "4.4.4.4"}
        assert seen(self.FIELDS, "192.0.2.1", **told) == ("192.0.2.1", "http")
        assert seen(self.FIELDS, **told) == ("4.4.4.4", "https")

    def test_what_the_client_sent_itself_is_ignored(self) -> None:
        assert seen(self.FIELDS, X_Forwarded_For="1.1.1.1, 4.4.4.4, 10.2.2.2")[0] == "4.4.4.4"
        assert seen(self.FIELDS, X_Forwarded_For="4.4.4.4", X_Real_IP="1.1.1.1")[0] == "4.4.4.4"

    def test_a_number_of_proxies(self) -> None:
        fields = BelievedFields(trusted=TrustedProxies(2))
        assert seen(fields, "192.0.2.1", X_Forwarded_For="1.1.1.1, 4.4.4.4, 9.9.9.9")[0] == "4.4.4.4"
        assert seen(fields, "192.0.2.1", X_Forwarded_For="9.9.9.9")[0] == "192.0.2.1"


class TestForwarded:
    FIELDS = BelievedFields(forwarded=True, trusted=TRUSTED)

    def test_address_and_protocol_are_those_of_one_element(self) -> None:
        told = "for=1.1.1.1;proto=http, for=4.4.4.4;proto=https, for=10.0.0.7;proto=http"
        assert seen(self.FIELDS, Forwarded=told) == ("4.4.4.4", "https")

    def test_a_client_whose_name_is_hidden(self) -> None:
        assert seen(self.FIELDS, Forwarded="for=_hidden;proto=https") == ("10.0.0.1", "https")

    def test_the_other_kind_is_ignored(self) -> None:
        assert seen(self.FIELDS, X_Forwarded_For="4.4.4.4", X_Scheme="https") == ("10.0.0.1", "http")
        assert seen(BelievedFields(trusted=TRUSTED), Forwarded="for=4.4.4.4") == ("10.0.0.1", "http")

    def test_lines_are_read_one_by_one(self) -> None:
        headers = HTTPHeaders()
        headers.add("Forwarded", 'for="')
        headers.add("Forwarded", "for=4.4.4.4")
        stream = types.SimpleNamespace(socket=types.SimpleNamespace(family=socket.AF_INET))
        context = ConnectionContext(stream, ("10.0.0.1", 4711), None)  # type: ignore[arg-type]
        with pytest.raises(HTTPInputError, match="malformed Forwarded"):
            self.FIELDS.apply(context, headers)

    def test_of_an_untrusted_peer_it_is_not_even_read(self) -> None:
        assert seen(self.FIELDS, "192.0.2.1", Forwarded='for="') == ("192.0.2.1", "http")

    def test_the_host_is_that_of_the_same_element(self) -> None:
        headers = HTTPHeaders({"Host": "internal", "Forwarded": "for=1.1.1.1;host=evil, for=4.4.4.4;host=example.org"})
        stream = types.SimpleNamespace(socket=types.SimpleNamespace(family=socket.AF_INET))
        context = ConnectionContext(stream, ("10.0.0.1", 4711), None)  # type: ignore[arg-type]
        self.FIELDS.apply(context, headers)
        assert headers["Host"] == "example.org"


class Recorder(HTTPMessageDelegate):
    def __init__(self, connection) -> None:
        self.connection = connection
        self.log: list = []

    def headers_received(self, start_line, headers):
        self.log.append((start_line.method, self.connection.context.remote_ip))

    def data_received(self, chunk):
        self.log.append(chunk)

    def trailers_received(self, trailers):
        self.log.append(dict(trailers))

    def finish(self):
        self.log.append("finish")

    def refused(self, error):
        self.log.append(error.status)
        return True

    def on_connection_close(self):
        self.log.append("closed")


def test_a_request_is_passed_on() -> None:
    stream = types.SimpleNamespace(socket=types.SimpleNamespace(family=socket.AF_INET))
    context = ConnectionContext(stream, ("10.0.0.1", 4711), None)  # type: ignore[arg-type]
    connection = types.SimpleNamespace(context=context)
    inner = Recorder(connection)
    request = ForwardedRequest(inner, connection, BelievedFields())
    request.head_received("GET", "/", "HTTP/1.1", HTTPHeaders({"X-Real-Ip": "4.4.4.4"}))
    request.data_received(b"a")
    request.trailers_received(HTTPHeaders({"A": "b"}))
    request.finish()
    assert request.refused(HTTPInputError(status=413))
    request.on_connection_close()
    assert inner.log == [("GET", "4.4.4.4"), b"a", {"A": "b"}, "finish", 413, "closed"]
