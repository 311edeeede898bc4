"""Error pages: what a client is told, in the form that it asks for.

- **HTML** for who names it in ``Accept``, as browsers do when they open a page;
- **problem+json** (RFC 9457) for who names a JSON type there, or sends JSON and names nothing;
- **plain text** else: ``curl``, scripts.

:func:`error_page` is the one hook: the setting ``error_page`` names another function of the same kind, which
makes the pages of a whole application. A handler's own ``write_error`` wins over it.

>>> error_page(ErrorReport(404, "Not Found", form="problem"))
ErrorPage(content_type='application/problem+json', body='{"type":"about:blank","title":"Not Found","status":404}')
>>> error_page(ErrorReport(400, "Bad Request", detail="x < 1", form="text")).body
'400: Bad Request\\nx < 1\\n'
"""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from gustnado.escape import json_encode, xhtml_escape
from gustnado.http.weights import parse_weights

if TYPE_CHECKING:
    from gustnado.http.messages import HTTPServerRequest

__all__ = ["ErrorForm", "ErrorPage", "ErrorReport", "chosen_form", "error_page", "plain_html"]

ErrorForm: TypeAlias = Literal["html", "problem", "text"]
"""The form of an error page; see the module."""

_HTML = ("text/html", "application/xhtml+xml")
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:15vh auto;max-width:36em;padding:0 1em;color:#222}"
    "h1{font-size:1.5em}code{color:#666}"
)


class ErrorPage(NamedTuple):
    """A page: its media type, and its text."""

    content_type: str
    body: str


@dataclasses.dataclass(frozen=True)
class ErrorReport:
    """What an error page is made of.

    :ivar status: of the response.
    :ivar reason: its reason phrase.
    :ivar detail: a sentence for the client, not escaped; ``None`` where there is nothing to say.
    :ivar form: the form that the client asks for.
    :ivar error: the exception, in debug mode only: where it is there, the page may show it.
    :ivar request: that failed.
    :ivar settings: those of the application.
    """

    status: int
    reason: str
    detail: str | None = None
    form: ErrorForm = "html"
    error: BaseException | None = None
    request: HTTPServerRequest | None = None
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def error_page(report: ErrorReport) -> ErrorPage:
    """The page for an error."""
    if report.form == "problem":
        return _problem(report)
    if report.form == "text":
        return _text(report)
    return ErrorPage("text/html; charset=UTF-8", plain_html(report))


def plain_html(report: ErrorReport) -> str:
    """A page that tells no more than the status and the detail."""
    title = f"{report.status}: {xhtml_escape(report.reason)}"
    detail = f"<p>{xhtml_escape(report.detail)}</p>" if report.detail else ""
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1>{detail}</body></html>\n"
    )


def chosen_form(request: HTTPServerRequest) -> ErrorForm:
    """The form of page that the client wants; see the module."""
    accept = request.headers.get("Accept", "")
    weights = parse_weights(accept)
    html = max([weights.get(name, 0.0) for name in _HTML])
    json = max([weight for name, weight in weights.items() if _is_json(name)], default=0.0)
    if json > html:
        return "problem"
    if html > 0:
        return "html"
    names_nothing = set(weights) <= {"*/*"}
    sent = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return "problem" if names_nothing and _is_json(sent) else "text"


def _is_json(media_type: str) -> bool:
    return media_type == "application/json" or media_type.endswith("+json")


def _problem(report: ErrorReport) -> ErrorPage:
    problem: dict[str, Any] = {"type": "about:blank", "title": report.reason, "status": report.status}
    if report.detail:
        problem["detail"] = report.detail
    if report.error is not None:
        problem["traceback"] = "".join(traceback.format_exception(report.error)).splitlines()
    return ErrorPage("application/problem+json", json_encode(problem))


def _text(report: ErrorReport) -> ErrorPage:
    body = f"{report.status}: {report.reason}\n"
    if report.detail:
        body += f"{report.detail}\n"
    if report.error is not None:
        body += "\n" + "".join(traceback.format_exception(report.error))
    return ErrorPage("text/plain; charset=UTF-8", body)
