"""What a handler knows: the attributes that its topics share.

:class:`~gustnado.web.handler.RequestHandler` is composed of topics, one file each. Each topic is a class
below :class:`HandlerState`, so that it can name what the others provide. It is compiled: its attributes are
fields of a C structure, which :class:`~gustnado.web.handler.lifecycle.LifecycleMixin` sets.
"""

from __future__ import annotations

from typing import Any

__all__ = ["HandlerState"]


class HandlerState:
    """The attributes of a handler; ``state.pyi`` names them, and the methods by which topics call each other.

    :ivar application: the :class:`~gustnado.web.application.Application` that it belongs to.
    :ivar request: the :class:`~gustnado.http.messages.HTTPServerRequest` that it answers.
    :ivar path_args: positional arguments from the route, decoded.
    :ivar path_kwargs: named arguments from the route, decoded.
    """

    @property
    def settings(self) -> dict[str, Any]:
        """The application's settings."""
        settings: dict[str, Any] = self.application.settings  # pyright: ignore[reportAttributeAccessIssue]
        return settings
