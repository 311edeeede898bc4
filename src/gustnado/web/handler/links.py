"""A handler's links to static files."""

from __future__ import annotations

from typing import Any

from gustnado.web.handler.state import HandlerState

__all__ = ["LinksMixin"]


class LinksMixin(HandlerState):
    """``static_url``."""

    include_host: bool = False
    """Whether :meth:`static_url` gives absolute URLs where it is not told."""

    def static_url(self, path: str, include_host: bool | None = None, **kwargs: Any) -> str:
        """The URL of a static file, with a version by which clients may keep it for good.

        :param path: below the setting ``static_path``; a known one, not one that a client names.
        :param include_host: whether to begin with scheme and host; by default as the handler's attribute
            ``include_host`` says.
        :param kwargs: for :meth:`StaticFileHandler.make_static_url`: ``include_version=False`` leaves the
            version out.
        :raises HTTPError: (403) where ``path`` leads out of ``static_path``.
        """
        from gustnado.web.static import StaticFileHandler  # which is a handler itself

        self.require_setting("static_path", "static_url")
        handler_class = self.settings.get("static_handler_class", StaticFileHandler)
        if not self.settings.get("static_hash_cache", True) and not getattr(handler_class, "_serves_files", False):
            handler_class.reset()  # in debug mode; versions of files are worked out anew when these change
        url: str = handler_class.make_static_url(self.settings, path, **kwargs)
        if self.include_host if include_host is None else include_host:
            return f"{self.request.protocol}://{self.request.host}{url}"
        return url
