"""``tornado.web``: applications and their handlers."""

from __future__ import annotations

from gustnado.web.application import Application
from gustnado.web.dispatch import stream_request_body
from gustnado.web.errors import Finish, HTTPError, MissingArgumentError
from gustnado.web.handler import RequestHandler
from gustnado.web.handler.auth import authenticated
from gustnado.web.handler.callbacks import asynchronous
from gustnado.web.handler.slashes import addslash, removeslash
from gustnado.web.redirects import is_absolute
from gustnado.web.routing import URLSpec
from gustnado.web.routing import URLSpec as url
from gustnado.web.signing import (
    DEFAULT_SIGNED_VALUE_MIN_VERSION,
    DEFAULT_SIGNED_VALUE_VERSION,
    MAX_SUPPORTED_SIGNED_VALUE_VERSION,
    MIN_SUPPORTED_SIGNED_VALUE_VERSION,
    create_signed_value,
    decode_signed_value,
    get_signature_key_version,
)
from gustnado.web.signing import _create_signature_v1 as _create_signature_v1
from gustnado.web.signing import _create_signature_v2 as _create_signature_v2
from gustnado.web.simple_handlers import ErrorHandler, FallbackHandler, RedirectHandler
from gustnado.web.static import StaticFileHandler
from gustnado.web.transforms import GZipContentEncoding, OutputTransform
from gustnado.web.ui import TemplateModule, UIModule

__all__ = [
    "Application",
    "DEFAULT_SIGNED_VALUE_MIN_VERSION",
    "DEFAULT_SIGNED_VALUE_VERSION",
    "ErrorHandler",
    "FallbackHandler",
    "Finish",
    "GZipContentEncoding",
    "HTTPError",
    "MAX_SUPPORTED_SIGNED_VALUE_VERSION",
    "MIN_SUPPORTED_SIGNED_VALUE_VERSION",
    "MissingArgumentError",
    "OutputTransform",
    "RedirectHandler",
    "RequestHandler",
    "StaticFileHandler",
    "TemplateModule",
    "UIModule",
    "URLSpec",
    "addslash",
    "asynchronous",
    "authenticated",
    "create_signed_value",
    "decode_signed_value",
    "get_signature_key_version",
    "is_absolute",
    "removeslash",
    "stream_request_body",
    "url",
]
