"""JSON in, values out: what a request's body says, and responses that a method returns instead of writing them.

::

    class User(RequestHandler):
        def get(self, name):
            return {"name": name}               # JSON; so is a list

        async def put(self, name):
            await store(name, self.get_json())  # 400, with the reason, for what is no JSON
            return "stored"                     # text or bytes, as by write()
"""

from __future__ import annotations

import json
import sys
from inspect import isawaitable
from typing import Any

from gustnado.escape import json_decode
from gustnado.web.errors import HTTPError
from gustnado.web.handler.state import HandlerState

__all__ = ["ResultsMixin"]


class ResultsMixin(HandlerState):
    """``get_json``, and what becomes of the value that a method returns."""

    returns_responses: bool = True
    """Whether the value that a method returns is the response. Otherwise, as in Tornado, that of a coroutine
    is dropped, and any other is an error."""

    def get_json(self) -> Any:
        """The value that the request's body is the JSON of, whatever its ``Content-Type`` says.

        The setting ``json_decoder`` is a function that reads JSON (bytes) in place of
        :func:`~gustnado.escape.json_decode`, such as ``msgspec.json.Decoder(Order).decode``. It raises a
        :exc:`ValueError`, or an error of msgspec's, for what it does not take.

        :raises HTTPError: (400) where it is not JSON, or nested too deeply. The client is told why.
        """
        decoder = self.settings.get("json_decoder") or json_decode
        body = self.request.body
        if not body:
            raise HTTPError(400, "the body is empty, and JSON is wanted", detail="The body is empty; send JSON.")
        try:
            return decoder(body)
        except Exception as error:
            if not _is_of_the_data(error):
                raise
            detail = _reason(error)
            raise HTTPError(400, "the body is not the JSON that is wanted: %s", error, detail=detail) from error

    def _respond_with(self, value: Any) -> None:
        """Write what a method returned, and finish.

        :raises TypeError: where no response can be made of it.
        :raises RuntimeError: where the response has ended already.
        """
        method = f"{type(self).__name__}.{self.request.method.lower()}()"
        if not self.returns_responses or not isinstance(value, (dict, list, str, bytes)):
            wanted = "a dict, list, str or bytes, " if self.returns_responses else ""
            raise TypeError(f"{method} returned {_short(value)}: {wanted}None or an awaitable is wanted")
        if self._finished:
            raise RuntimeError(f"{method} returned {_short(value)} after finish(): it cannot be sent any more")
        if isinstance(value, (dict, list)):
            self._write_json(value)
        else:
            self.write(value)
        self.finish()

    async def _answer(self, value: Any) -> None:
        """Respond with the value of a coroutine; one may end in ``return self.finish()``, which is a future."""
        while isawaitable(value):
            value = await value
        if value is not None:
            self._respond_with(value)


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else f"{shown[:80]}... ({type(value).__name__})"


def _is_of_the_data(error: Exception) -> bool:
    """Whether a decoder's error is about what it read. msgspec has been imported, where it is one of its own."""
    msgspec = sys.modules.get("msgspec")
    return isinstance(error, ValueError) or (msgspec is not None and isinstance(error, msgspec.MsgspecError))


def _reason(error: Exception) -> str:
    """What to tell the client; nothing of what it sent, nor of the program's own words."""
    if isinstance(error, json.JSONDecodeError):
        return f"The body is not JSON: {error.msg}, line {error.lineno}, column {error.colno}."
    return "The body is not the JSON that is wanted here."
