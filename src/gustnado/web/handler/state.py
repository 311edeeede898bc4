"""What a handler knows: the attributes that its topics share.

:class:`~gustnado.web.handler.RequestHandler` is composed of topics, one file each. Each topic is a class
below :class:`HandlerState`, so that it can name what the others provide. Defaults live on the class: a
request pays only for what is set on its handler.
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


class HandlerState:
    """Attributes of a handler, and the methods by which its topics call each other.

    :ivar application: the :class:`~gustnado.web.application.Application` that it belongs to.
    :ivar request: the :class:`~gustnado.http.messages.HTTPServerRequest` that it answers.
    :ivar path_args: positional arguments from the route, decoded.
    :ivar path_kwargs: named arguments from the route, decoded.
    """

    application: Application
    request: HTTPServerRequest
    path_args: Sequence[str] = ()
    path_kwargs: Mapping[str, str] = MappingProxyType({})

    _headers: HTTPHeaders
    _write_buffer: list[bytes]
    _status_code: int = 200
    _reason: str = "OK"
    _headers_written: bool = False
    _finished: bool = False
    _auto_finish: bool = True
    _new_cookie: dict[str, str] | None = None  # name to value of its Set-Cookie field
    _transforms: list[OutputTransform] | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """The application's settings."""
        return self.application.settings

    if TYPE_CHECKING:  # provided by the topics

        def set_status(self, status_code: int, reason: str | None = None) -> None: ...
        def get_status(self) -> int: ...
        def set_header(self, name: str, value: Any) -> None: ...
        def add_header(self, name: str, value: Any) -> None: ...
        def clear_header(self, name: str) -> None: ...
        def clear(self) -> None: ...
        def write(self, chunk: str | bytes | dict[Any, Any]) -> None: ...
        def flush(self, include_footers: bool = False) -> Future[None]: ...
        def finish(self, chunk: str | bytes | dict[Any, Any] | None = None) -> Future[None]: ...
        def redirect(self, url: str, permanent: bool = False, status: int | None = None) -> None: ...
        def send_error(self, status_code: int = 500, **kwargs: Any) -> None: ...
        def require_setting(self, name: str, feature: str = "this feature") -> None: ...
        def reverse_url(self, name: str, *args: Any) -> str: ...
        def static_url(self, path: str, include_host: bool | None = None, **kwargs: Any) -> str: ...
