"""``tornado.template``: templates."""

from __future__ import annotations

from gustnado.web.template import BaseLoader, DictLoader, Loader, ParseError, Template, filter_whitespace

__all__ = [
    "BaseLoader",
    "DictLoader",
    "Loader",
    "ParseError",
    "Template",
    "filter_whitespace",
]
