"""From a request to the options of a handle."""

from __future__ import annotations

import pytest

from gustnado.http.client.curl_setup import set_up
from gustnado.http.client.request import HTTPRequest, RequestProxy
from gustnado.http.headers import HTTPHeaders

pycurl = pytest.importorskip("pycurl")


class Handle:
    """Keeps the options that are set."""

    def __init__(self):
        self.options = {}

    def setopt(self, option, value):
        self.options[option] = value


def options_of(url="http://a.example/", defaults=None, **arguments):
    request = HTTPRequest(url, **arguments)
    request.headers = HTTPHeaders(request.headers)
    handle = Handle()
    set_up(pycurl, handle, RequestProxy(request, {**HTTPRequest._DEFAULTS, **(defaults or {})}), print, print)
    return handle.options


def test_certificates_are_checked():
    options = options_of()
    assert (options[pycurl.SSL_VERIFYPEER], options[pycurl.SSL_VERIFYHOST]) == (1, 2)
    assert options[pycurl.SSLVERSION] == pycurl.SSLVERSION_TLSv1_2
    options = options_of(validate_cert=False)
    assert (options[pycurl.SSL_VERIFYPEER], options[pycurl.SSL_VERIFYHOST]) == (0, 0)


def test_files_of_tls():
    options = options_of(ca_certs="/a", client_cert="/b", client_key="/c")
    assert [options[name] for name in (pycurl.CAINFO, pycurl.SSLCERT, pycurl.SSLKEY)] == ["/a", "/b", "/c"]


def test_protocols():
    both = pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS
    assert options_of()[pycurl.PROTOCOLS] == both
    assert options_of()[pycurl.REDIR_PROTOCOLS] == both
    assert options_of("https://a.example/")[pycurl.REDIR_PROTOCOLS] == pycurl.PROTO_HTTPS
    assert options_of("https://a.example/", allow_downgrade=True)[pycurl.REDIR_PROTOCOLS] == both


def test_times_are_milliseconds():
    options = options_of(connect_timeout=1.5, request_timeout=0)
    assert (options[pycurl.CONNECTTIMEOUT_MS], options[pycurl.TIMEOUT_MS]) == (1500, 0)


def test_headers():
    lines = options_of(method="POST", body=b"", headers={"X-A": "é", "X-Empty": ""})[pycurl.HTTPHEADER]
    assert lines == [
        b"X-A: \xe9", b"X-Empty;", b"Expect:", b"Pragma:", b"Content-Type: application/x-www-form-urlencoded",
    ]  # fmt: skip
    assert b"Expect:" not in options_of(headers={"Expect": "x"})[pycurl.HTTPHEADER]


def test_proxies():
    assert options_of()[pycurl.PROXY] == ""
    assert options_of(proxy="socks5://h")[pycurl.PROXY] == "socks5://h"
    options = options_of(proxy_host="h", proxy_port=1, proxy_username="u", proxy_password="p", proxy_auth_mode="digest")
    assert (options[pycurl.PROXY], options[pycurl.PROXYPORT], options[pycurl.PROXYUSERPWD]) == ("h", 1, b"u:p")
    assert options[pycurl.PROXYAUTH] == pycurl.HTTPAUTH_DIGEST


def test_other_options():
    options = options_of(allow_ipv6=False, network_interface="127.0.0.1", unix_socket="/s", decompress_response=False)
    assert options[pycurl.IPRESOLVE] == pycurl.IPRESOLVE_V4
    assert (options[pycurl.INTERFACE], options[pycurl.UNIX_SOCKET_PATH]) == ("127.0.0.1", "/s")
    assert pycurl.ENCODING not in options
    assert options_of()[pycurl.ENCODING] == "gzip,deflate"


def test_a_body_that_is_put_can_be_read_again():
    options = options_of(method="PUT", body=b"data")
    assert (options[pycurl.READFUNCTION](10), options[pycurl.READFUNCTION](10)) == (b"data", b"")
    assert options[pycurl.SEEKFUNCTION](1, 0) == pycurl.SEEKFUNC_OK
    assert options[pycurl.READFUNCTION](10) == b"ata"


def test_coroutines_cannot_be_called():
    async def take(chunk):
        pass

    with pytest.raises(TypeError, match="async"):
        options_of(streaming_callback=take)
