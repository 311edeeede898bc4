"""What Tornado does otherwise where a program says nothing, for the whole process."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import gustnado.tornado
from gustnado.escape import STANDARD_JSON, set_default_json
from gustnado.http.client.request import HTTPRequest
from gustnado.http.client.simple import SimpleAsyncHTTPClient
from gustnado.http.forms import ParseBodyConfig, ParseMultipartConfig, set_parse_body_config
from gustnado.http.server import HTTPServer
from gustnado.web.handler import RequestHandler
from gustnado.web.static import StaticFileHandler
from gustnado.web.transforms import ContentEncoding
from gustnado.web.websocket import WebSocketHandler

__all__ = ["CLIENT_DEFAULTS", "HANDLER_DEFAULTS", "MAX_BODY_SIZE", "MAX_HEADER_SIZE", "set_defaults", "set_defaults_of"]

MAX_BODY_SIZE = 100 * 1024 * 1024
"""Bytes of a request's body, streamed or not, where nothing else is said (Tornado: 104,857,600)."""

MAX_HEADER_SIZE = 64 * 1024
"""Bytes of a request's head, which one field may have for itself (Tornado: 65,536)."""

CLIENT_DEFAULTS = {"request_timeout": 20.0, "read_timeout": 0.0, "max_redirects": 5}
"""Of requests of the HTTP client, where they are not our own."""

HANDLER_DEFAULTS: dict[str, Any] = {
    "default_cookie_options": {},
    "encodes_locations": False,
    "negotiates_errors": False,
    "refuses_reasons": False,
    "returns_responses": False,
    "varies_by_cookies": False,
    "xsrf_host_cookie": False,
    "xsrf_origin_first": False,
}
"""Attributes of all handlers, where their classes do not set them."""


def set_defaults() -> None:
    """Make them Tornado's, as :mod:`gustnado.as_tornado` lists them; for good."""
    set_default_json(STANDARD_JSON)
    HTTPServer.configure(None, max_body_size=MAX_BODY_SIZE, max_header_size=MAX_HEADER_SIZE, like_tornado=True)
    for name, value in HANDLER_DEFAULTS.items():
        setattr(RequestHandler, name, value)
    StaticFileHandler.serves_hidden_files = True
    ContentEncoding.CODINGS = ("gzip",)
    HTTPRequest._DEFAULTS.update(CLIENT_DEFAULTS)
    SimpleAsyncHTTPClient.default_max_clients = 10
    SimpleAsyncHTTPClient.cancels_requests = False
    SimpleAsyncHTTPClient.sends_backslashes = True
    WebSocketHandler.default_ping_interval = None
    SimpleAsyncHTTPClient.user_agent = f"Tornado/{gustnado.tornado.version}"
    set_parse_body_config(
        ParseBodyConfig(
            multipart=ParseMultipartConfig(
                max_part_header_size=10 * 1024,
                max_value_size=MAX_BODY_SIZE,
                extended_filenames=True,
                implicit_first_part=True,
            )
        )
    )


def set_defaults_of(door: ModuleType) -> None:
    """Those of a module that few programs import, now that one does: :mod:`gustnado.testing` imports unittest."""
    if door.__name__ == "gustnado.tornado.testing":
        door.AsyncTestCase.runs_coroutines = False
