"""What there is to see in an application: its routes, and settings that are unsafe in production."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from gustnado.web.application import Application
from gustnado.web.matchers import AnyMatches, HostMatches, Matcher, PathMatches
from gustnado.web.routing import Rule, RuleRouter

__all__ = ["LEAST_SECRET", "Finding", "Route", "list_routes", "look_over"]

LEAST_SECRET = 32
"""Bytes of a cookie secret that are enough: as many as the HMAC-SHA256 that it is the key of has."""


@dataclass(frozen=True)
class Route:
    """A way to a handler.

    :ivar pattern: of the path, or whatever else its matcher looks at.
    :ivar target: who answers.
    :ivar name: for ``reverse_url``; ``None`` where it has none.
    :ivar host: pattern of the host, where it is for one only.
    """

    pattern: str
    target: str
    name: str | None
    host: str | None


@dataclass(frozen=True)
class Finding:
    """Something that is unsafe, and what to do about it."""

    what: str
    remedy: str


def list_routes(app: Application) -> list[Route]:
    """All routes, in the order in which they are tried."""
    return list(_routes(app.default_router.rules, "", None))


def _routes(rules: Iterable[Rule], prefix: str, host: str | None) -> Iterator[Route]:
    for rule in rules:
        pattern = prefix + _pattern(rule.matcher)
        here = rule.matcher.host_pattern.pattern if isinstance(rule.matcher, HostMatches) else host
        if isinstance(rule.target, RuleRouter):
            yield from _routes(rule.target.rules, pattern, here)
        else:
            yield Route(pattern or "(any path)", _target(rule), rule.name, here)


def _pattern(matcher: Matcher) -> str:
    if isinstance(matcher, PathMatches):
        return matcher.regex.pattern.removesuffix("$")
    return "" if isinstance(matcher, (AnyMatches, HostMatches)) else f"({type(matcher).__qualname__})"


def _target(rule: Rule) -> str:
    target: Any = rule.target
    shown = target if hasattr(target, "__qualname__") else type(target)
    return f"{shown.__module__}.{shown.__qualname__}"


def look_over(app: Application) -> list[Finding]:
    """What is unsafe, or cannot work."""
    settings = app.settings
    return [*_debugging(settings), *_cookies(settings), *_folders(settings), *_unreachable(app)]


def _debugging(settings: dict[str, Any]) -> Iterator[Finding]:
    if settings.get("debug"):
        yield Finding(
            "debug is on: error pages show the program's source, and files are read again and again",
            "Take debug from the environment, so that production is without it.",
        )
        return
    if settings.get("serve_traceback"):
        yield Finding("serve_traceback is on: error pages show the program's source", "Leave it out in production.")
    if settings.get("autoreload"):
        yield Finding("autoreload is on: a changed file drops all requests", "Leave it out in production.")


def _cookies(settings: dict[str, Any]) -> Iterator[Finding]:
    secret = settings.get("cookie_secret")
    secrets = secret if isinstance(secret, dict) else {} if secret is None else {"": secret}
    for version, value in secrets.items():
        size = len(value.encode() if isinstance(value, str) else value)
        which = f" of key version {version}" if version != "" else ""
        if size < LEAST_SECRET:
            yield Finding(
                f"cookie_secret{which} has {size} bytes: who guesses it can sign in as anybody",
                f"Make one of {LEAST_SECRET} or more: python -c 'import secrets; print(secrets.token_urlsafe(32))'",
            )
        elif len(set(value)) < 8:
            yield Finding(f"cookie_secret{which} repeats few characters", "Make one at random.")
    uses_cookies = secret is not None or settings.get("login_url")
    if uses_cookies and not settings.get("xsrf_cookies"):
        yield Finding(
            "cookies sign users in, and xsrf_cookies is off: other sites can send forms in their name",
            "Set xsrf_cookies=True, and {% module xsrf_form_html() %} in forms.",
        )


def _folders(settings: dict[str, Any]) -> Iterator[Finding]:
    for name in ("static_path", "template_path"):
        path = settings.get(name)
        if path and not os.path.isdir(path):
            yield Finding(f"{name} is no directory: {path}", "Make it, or name it by its absolute path.")
        elif path and not os.path.isabs(path):
            yield Finding(
                f"{name} is relative, so it depends on where the program is started: {path}",
                "Begin it with os.path.dirname(__file__).",
            )


def _unreachable(app: Application) -> Iterator[Finding]:
    seen: dict[tuple[str, str | None], str] = {}
    for route in list_routes(app):
        key = (route.pattern, route.host)
        if key in seen and not route.pattern.startswith("("):
            yield Finding(
                f"{route.target} is never reached: {seen[key]} has the same pattern {route.pattern}",
                "Remove one of them, or let one handler do both.",
            )
        seen.setdefault(key, route.target)

