"""What becomes of an exception: an error page, a log line, and a connection in good order."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

from gustnado.errors import ProtocolError, StreamClosedError
from gustnado.escape import xhtml_escape
from gustnado.events.tasks import explain_missing_loop
from gustnado.log import app_log, gen_log
from gustnado.web.debug_page import debug_page, is_local_request
from gustnado.web.error_pages import ErrorReport, chosen_form, error_page
from gustnado.web.errors import Finish, HTTPError
from gustnado.web.handler.state import HandlerState

__all__ = ["FailuresMixin"]

_PAGE = "<html><title>{status}: {reason}</title><body>{status}: {reason}</body></html>"


class FailuresMixin(HandlerState):
    """Error pages and the logging of exceptions."""

    negotiates_errors: bool = True
    """Whether error pages come in the form that the client asks for. Otherwise they are HTML as Tornado's."""
    get_error_html: Callable[..., str | bytes] | None = None
    """Older programs define it, with the arguments ``status_code`` and ``**kwargs``; it returns the error page."""

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Answer with an error page made by :meth:`write_error`, in place of what was written so far.

        Where the head has been sent already there is no way to say it: the response is cut short then, so
        that the client can tell that it is not whole.

        :param kwargs: given on to :meth:`write_error`; ``reason`` is the reason phrase.
        """
        if self._headers_written:
            gen_log.error("Cannot send error response after headers written")
            if not self._finished:
                self._finished = True
                self.request.connection.close()
                self._ended()
            return
        self.clear()
        reason = kwargs.get("reason")
        if "exc_info" in kwargs:
            error = kwargs["exc_info"][1]
            if isinstance(error, HTTPError) and error.reason:
                reason = error.reason
        self.set_status(status_code, reason=reason)
        try:
            if status_code != 204 and status_code != 304:  # which have no page
                self.write_error(status_code, **kwargs)
        except Exception:
            app_log.error("Uncaught exception in write_error", exc_info=True)
        if not self._finished:
            self.finish()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Write the error page; override to make it yours.

        By default the function of the setting ``error_page`` makes it, or else
        :func:`gustnado.web.error_pages.error_page`, in the form that the client asks for.

        :param status_code: what went wrong, 400 to 599.
        :param kwargs: ``exc_info`` is the triple of the exception, where one led here. With the setting
            ``serve_traceback`` the page shows it, in debug mode with all that is around it: not for production.
        """
        if self.get_error_html is not None:
            self._finish_error_html(status_code, kwargs)
        elif self.negotiates_errors:
            self._finish_error_page(status_code, kwargs)
        elif self.settings.get("serve_traceback") and "exc_info" in kwargs:
            self.set_header("Content-Type", "text/plain; charset=UTF-8")
            self.finish("".join(traceback.format_exception(*kwargs["exc_info"])))
        else:
            self.finish(_PAGE.format(status=status_code, reason=xhtml_escape(self._reason)))

    def _finish_error_page(self, status_code: int, kwargs: dict[str, Any]) -> None:
        settings, request = self.settings, self.request
        error: BaseException | None = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        report = ErrorReport(
            status_code,
            self._reason,
            detail=error.detail if isinstance(error, HTTPError) else None,
            form=chosen_form(request),
            error=error if settings.get("serve_traceback") else None,
            request=request,
            settings=settings,
        )
        self.set_header("Vary", "Accept")
        if self._shows_debug_page(report):
            self.set_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
            self.set_header("Cache-Control", "no-store")
            self.finish(debug_page(report))
            return
        page = settings.get("error_page", error_page)(report)
        self.set_header("Content-Type", page.content_type)
        self.finish(page.body)

    def _shows_debug_page(self, report: ErrorReport) -> bool:
        settings = self.settings
        return (
            report.error is not None
            and report.form == "html"
            and bool(settings.get("debug"))
            and "error_page" not in settings
            and is_local_request(self.request, settings.get("debug_hosts", ()))
        )

    def _finish_error_html(self, status_code: int, kwargs: dict[str, Any]) -> None:
        """The page by the ``get_error_html`` of older programs, which find the exception as the current one, too."""
        make_page: Any = self.get_error_html
        if "exc_info" not in kwargs:
            self.finish(make_page(status_code, **kwargs))
            return
        error = kwargs.pop("exc_info")[1]
        try:
            raise error
        except BaseException:
            page = make_page(status_code, exception=error, **kwargs)
        self.finish(page)

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log an exception that ended this request; override to report it elsewhere, too.

        An :class:`~gustnado.web.HTTPError` is a warning without its traceback, what a client sent wrong
        likewise; all else is an error with its traceback.
        """
        if isinstance(value, HTTPError):
            message = value.get_message()
            if message:
                gen_log.warning("%d %s: %s", value.status_code, self._request_summary(), message)
        elif isinstance(value, ProtocolError):
            gen_log.warning("%d %s: %s", value.status, self._request_summary(), value)
        else:
            app_log.error(
                "Uncaught exception %s\n%r",
                self._request_summary(),
                self.request,
                exc_info=(typ, value, tb),  # type: ignore[arg-type]
            )

    def _handle_request_exception(self, error: BaseException) -> None:
        """Turn an exception of the program into the end of its request."""
        if isinstance(error, Finish):
            if not self._finished:
                self.finish(*error.args)
            return
        if isinstance(error, StreamClosedError) and self._is_client_gone():
            # The client has gone while the handler wrote to it: nobody to answer, nothing to report.
            if not self._finished:
                self._finished = True
                self._ended()
            return
        explain_missing_loop(error)
        try:
            self.log_exception(type(error), error, error.__traceback__)
        except Exception:
            app_log.error("Error in exception logger", exc_info=True)
        self._send_error_for(error)

    def _is_client_gone(self) -> bool:
        stream = self.request.connection.stream
        return stream is None or bool(stream.closed())

    def _send_error_for(self, error: BaseException) -> None:
        """Answer with the error page of an exception, whatever it takes."""
        if self._finished:
            return  # the response is on its way, and the log has the rest
        exc_info = (type(error), error, error.__traceback__)
        try:
            self.send_error(_status_of(error), exc_info=exc_info)
        except Exception:
            # It could not be framed, or a transform or default headers failed: nothing more can be said, and
            # the client must not wait.
            app_log.error("Cannot send the error page, %s", self._request_summary(), exc_info=True)
            if not self._finished:
                self._finished = True
                self.request.connection.close()
                self._ended()


def _status_of(error: BaseException) -> int:
    if isinstance(error, HTTPError):
        if 200 <= error.status_code <= 999:
            return error.status_code
        gen_log.error("Bad HTTP status code: %d", error.status_code)
        return 500
    return error.status if isinstance(error, ProtocolError) else 500
