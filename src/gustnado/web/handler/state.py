"""What a handler knows: the attributes that its topics share.

:class:`~gustnado.web.handler.RequestHandler` is composed of topics, one file each. Each topic is a class
below :class:`HandlerState`, so that it can name what the others provide. It is compiled: its attributes are
fields of a C structure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gustnado.http.headers import HTTPHeaders

if TYPE_CHECKING:
    from asyncio import Future

    from gustnado.http.messages import HTTPServerRequest
    from gustnado.web.application import Application
    from gustnado.web.transforms import OutputTransform

__all__ = ["HandlerState"]

_NO_KWARGS: Mapping[str, str] = MappingProxyType({})


class HandlerState:
    """Attributes of a handler, and the methods by which its topics call each other.

    :ivar application: the :class:`~gustnado.web.application.Application` that it belongs to.
    :ivar request: the :class:`~gustnado.http.messages.HTTPServerRequest` that it answers.
    :ivar path_args: positional arguments from the route, decoded.
    :ivar path_kwargs: named arguments from the route, decoded.
    """

    def __init__(self, application: Application, request: HTTPServerRequest) -> None:
        self.application = application
        self.request = request
        self.path_args: Sequence[str] = ()
        self.path_kwargs: Mapping[str, str] = _NO_KWARGS
        self._headers = HTTPHeaders()
        self._write_buffer: list[bytes] = []
        self._status_code = 200
        self._reason = "OK"
        self._headers_written = False
        self._finished = False
        self._auto_finish = True
        self._new_cookie: dict[str, str] | None = None  # name to value of its Set-Cookie field
        self._transforms: list[OutputTransform] | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """The application's settings."""
        return self.application.settings
