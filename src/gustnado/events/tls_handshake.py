"""TLS handshakes that fail: the peer is sent the alert, and who asked for the handshake gets OpenSSL's words.

RFC 8446 section 6.2 has whoever fails tell the other so. OpenSSL makes that alert, and leaves it to the transport to
send it; ``aiofastnet``, as asyncio, closes the connection instead (seen with 1.2.0). There is one moment for it between
the failure and the closing: when the timer of the handshake is cancelled. Writing nothing then sends what there is.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

__all__ = ["HandshakeLoop", "use_words_of_openssl"]

T = TypeVar("T")

NAME_MISMATCHES = {62: "Hostname mismatch", 64: "IP address mismatch"}
"""``X509_V_ERR_HOSTNAME_MISMATCH`` and its like for addresses -> what they say."""


class HandshakeLoop:
    """An event loop as one transport of ``aiofastnet`` sees it.

    - The alert of a handshake that fails is sent.
    - Where a peer leaves during a handshake nothing is logged. The transport reports that (up to 1.2.0 at least) to the
      loop's exception handler, with an exception class for the exception, which the handler cannot even print. Every
      scan of a TLS port would leave two tracebacks.
    """

    __slots__ = ("_failure", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._failure: ssl.SSLError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any, **options: Any) -> Any:
        """As the loop's own, unless it is for the timer of a handshake."""
        timer = self._loop.call_later(delay, callback, *args, **options)
        if getattr(callback, "__name__", "") != "_check_handshake_timeout":
            return timer
        return HandshakeTimer(self, timer, callback.__self__)  # type: ignore[attr-defined]

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """As the loop's own, but for a peer that has left."""
        if context.get("exception") is not ConnectionResetError:
            self._loop.call_exception_handler(context)

    def note_failure(self, error: BaseException | None) -> None:
        """Keep what OpenSSL found, as sending the alert may fail, too."""
        if isinstance(error, ssl.SSLError):
            self._failure = error

    async def finish(self, opening: Awaitable[T], server_hostname: str | None) -> T:
        """What comes of ``opening``, which has this for its loop.

        :param server_hostname: the name that is checked.
        :raises OSError: with which the handshake failed, rather than that with which the transport ended.
        """
        try:
            return await opening
        except OSError as error:
            found, self._failure = self._failure, None  # an exception's traceback leads here: no cycles
            use_words_of_openssl(found or error, server_hostname)
            try:
                if found is not None and found is not error:
                    raise found from None
            finally:
                del found
            raise


class HandshakeTimer:
    """The timer of a handshake: that it is cancelled means that the handshake has ended, well or not."""

    __slots__ = ("_loop", "_timer", "_transport")

    def __init__(self, loop: HandshakeLoop, timer: asyncio.TimerHandle, transport: asyncio.Transport) -> None:
        self._loop = loop
        self._timer = timer
        self._transport: asyncio.Transport | None = transport

    def cancel(self) -> None:
        """Cancel the timer, and send what OpenSSL has left."""
        self._timer.cancel()
        # Where the peer has gone, writing fails, which ends the handshake and comes here again.
        transport, self._transport = self._transport, None
        if transport is not None:
            self._loop.note_failure(sys.exc_info()[1])
            transport.writelines((b"",))


def use_words_of_openssl(error: BaseException | None, server_hostname: str | None = None) -> None:
    """Have ``error``, where TLS raised it, say what was wrong as OpenSSL and :mod:`ssl` do.

    :param server_hostname: the name that was checked.

    >>> error = ssl.SSLError(1, "[SSL: TLSV1_ALERT_UNKNOWN_CA] ssl handshake failed")
    >>> error.library, error.reason = "SSL", "TLSV1_ALERT_UNKNOWN_CA"
    >>> use_words_of_openssl(error)
    >>> print(error)
    [SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca
    """
    if not isinstance(error, ssl.SSLError) or not getattr(error, "reason", None):
        return
    words = error.reason.replace("_", " ").lower()
    if isinstance(error, ssl.SSLCertVerificationError):
        mismatch = NAME_MISMATCHES.get(error.verify_code)
        if mismatch is not None and server_hostname is not None:
            error.verify_message = f"{mismatch}, certificate is not valid for '{server_hostname}'."
        words += f": {error.verify_message}"
    error.library = (error.library or "SSL").removesuffix(" ROUTINES")
    error.strerror = f"[{error.library}: {error.reason}] {words}"
