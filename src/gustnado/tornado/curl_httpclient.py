"""``tornado.curl_httpclient``: the client over libcurl."""

from __future__ import annotations

from gustnado.http.client.curl import CR_OR_LF_RE, CurlAsyncHTTPClient, CurlError, curl_log
from gustnado.http.client.curl_body import CurlStreamingBuffer as _CurlStreamingBuffer  # noqa: F401  # for its tests

__all__ = ["CR_OR_LF_RE", "CurlAsyncHTTPClient", "CurlError", "curl_log"]
