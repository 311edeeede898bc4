"""Ring 3, the web framework: applications, handlers, templates."""

from __future__ import annotations

from gustnado.web.access_log import AccessLog
from gustnado.web.application import Application
from gustnado.web.dispatch import pull_request_body, stream_request_body
from gustnado.web.errors import Finish, HTTPError, MissingArgumentError
from gustnado.web.handler import RequestHandler
from gustnado.web.handler.auth import authenticated
from gustnado.web.handler.callbacks import asynchronous
from gustnado.web.handler.slashes import addslash, removeslash
from gustnado.web.routing import (
    AnyMatches,
    DefaultHostMatches,
    HostMatches,
    Matcher,
    PathMatches,
    ReversibleRouter,
    ReversibleRuleRouter,
    Router,
    Rule,
    RuleRouter,
    URLSpec,
)
from gustnado.web.signing import create_signed_value, decode_signed_value
from gustnado.web.simple_handlers import ErrorHandler, FallbackHandler, RedirectHandler
from gustnado.web.static import StaticFileHandler
from gustnado.web.template import DictLoader, Loader, ParseError, Template
from gustnado.web.transforms import ContentEncoding, GZipContentEncoding, OutputTransform
from gustnado.web.ui import TemplateModule, UIModule
from gustnado.web.uploads import safe_filename
from gustnado.web.websocket import WebSocketHandler

__all__ = [
    # applications and handlers
    "AccessLog",
    "Application",
    "RequestHandler",
    "addslash",
    "asynchronous",
    "authenticated",
    "removeslash",
    "pull_request_body",
    "stream_request_body",
    # ready-made handlers
    "ErrorHandler",
    "FallbackHandler",
    "RedirectHandler",
    "StaticFileHandler",
    # WebSockets
    "WebSocketHandler",
    # errors
    "Finish",
    "HTTPError",
    "MissingArgumentError",
    # routing
    "AnyMatches",
    "DefaultHostMatches",
    "HostMatches",
    "Matcher",
    "PathMatches",
    "ReversibleRouter",
    "ReversibleRuleRouter",
    "Router",
    "Rule",
    "RuleRouter",
    "URLSpec",
    # templates and what they use
    "DictLoader",
    "Loader",
    "ParseError",
    "Template",
    "TemplateModule",
    "UIModule",
    # responses
    "ContentEncoding",
    "GZipContentEncoding",
    "OutputTransform",
    # signed values
    "create_signed_value",
    "decode_signed_value",
    # uploads
    "safe_filename",
]
