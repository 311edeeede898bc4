"""What a handler raises to end its request.

::

    GustnadoError
    |-- HTTPError                  becomes an error page with its status
    |   `-- MissingArgumentError     400: an argument that was asked for is not there
    `-- Finish                     ends the request without an error page

>>> str(HTTPError(404, "no user %r", "ada"))
"HTTP 404: Not Found (no user 'ada')"
>>> HTTPError(682, reason="Odd").reason
'Odd'
"""

from __future__ import annotations

import re
from http.client import responses

from gustnado.errors import GustnadoError

__all__ = ["Finish", "HTTPError", "MissingArgumentError", "clean_reason"]

# RFC 9112 section 4: reason-phrase = 1*( HTAB / SP / VCHAR / obs-text ). "<" is left out, so that a reason
# made from a request cannot carry markup, even where somebody's error page forgets to escape it.
_REASON = re.compile(r"[\t\x20-\x3b\x3d-\x7e\x80-\xff]*")


def clean_reason(reason: str) -> str:
    """``reason`` where it may stand in a status line, else ``"Unknown"``.

    Error paths call this, so it does not raise.

    >>> clean_reason("Payment Required")
    'Payment Required'
    >>> clean_reason("OK\\r\\nSet-Cookie: a=b")
    'Unknown'
    """
    return reason if _REASON.fullmatch(reason) is not None else "Unknown"


class HTTPError(GustnadoError):
    """Ends a handler with an error page.

    Raising it is the same as ``self.send_error(...)`` and ``return``, from any depth. Change what the
    page looks like in :meth:`RequestHandler.write_error`.

    :param status_code: status of the response.
    :param log_message: written to the log, never sent to the client (but for debug mode). May hold
        ``%s`` placeholders for ``args``; without ``args`` it is taken as it is.
    :param args: fill the placeholders.
    :param reason: the reason phrase to send instead of the usual one of the status. One that may not stand
        in a status line (RFC 9112 section 4), or that holds ``<``, becomes ``"Unknown"``.
    :param detail: a sentence for the client, on the error page: what is wrong with the request. Pages escape it.
    """

    status_code: int
    reason: str | None
    detail: str | None = None

    def __init__(
        self,
        status_code: int = 500,
        log_message: str | None = None,
        *args: object,
        reason: str | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(*args)
        self.status_code = status_code
        self._log_message = log_message
        self.args = args
        self.reason = None if reason is None else clean_reason(reason)
        self.detail = detail

    @property
    def log_message(self) -> str | None:
        """The message as a format for ``args``: without ``args`` each ``%`` is doubled."""
        if self._log_message and not self.args:
            return self._log_message.replace("%", "%%")
        return self._log_message

    def get_message(self) -> str | None:
        """The message with ``args`` filled in, or ``None`` where there is none."""
        if self._log_message and self.args:
            return self._log_message % self.args
        return self._log_message

    def __str__(self) -> str:
        line = f"HTTP {self.status_code}: {self.reason or responses.get(self.status_code, 'Unknown')}"
        message = self.get_message()
        return f"{line} ({message})" if message else line

    def __reduce__(self) -> tuple[object, ...]:
        # BaseException's way calls the class with self.args, which are not the arguments of __init__.
        return _rebuild, (type(self), self.args), self.__dict__


class Finish(GustnadoError):
    """Ends the request without an error page, from any depth.

    What has been written is sent; an argument is written first, as by :meth:`RequestHandler.finish`::

        if self.current_user is None:
            self.set_status(401)
            self.set_header("WWW-Authenticate", 'Basic realm="wind"')
            raise Finish("who are you?")
    """


class MissingArgumentError(HTTPError):
    """400: :meth:`RequestHandler.get_argument` found no argument of that name and has no default.

    :ivar arg_name: the name that was asked for.
    """

    arg_name: str

    def __init__(self, arg_name: str) -> None:
        super().__init__(400, f"Missing argument {arg_name}", detail=f"The argument {arg_name!r} is missing.")
        self.arg_name = arg_name


def _rebuild(cls: type[HTTPError], args: tuple[object, ...]) -> HTTPError:
    error = cls.__new__(cls, *args)
    error.args = args
    return error
