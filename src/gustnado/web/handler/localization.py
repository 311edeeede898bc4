"""The language that a handler answers in.

``locale`` is what :meth:`LocalizationMixin.get_user_locale` says, else the best match that there is for the
browser's ``Accept-Language``. It is worked out when it is first wanted.

>>> preferred_languages("fr;q=0.5, de-AT, en;q=0")
['de-AT', 'fr']
"""

from __future__ import annotations

import re
from typing import Final

from gustnado.web.handler.state import HandlerState
from gustnado.web.locale import Locale
from gustnado.web.locale import get as get_locale

__all__ = ["MAX_ACCEPT_LANGUAGE", "LocalizationMixin", "preferred_languages"]

#: Characters of ``Accept-Language`` that are looked at. Browsers send about 50; Django, which took all of it
#: (CVE-2023-23969), cuts at 500 now.
MAX_ACCEPT_LANGUAGE: Final = 500

# RFC 9110 section 12.4.2, but with any number of digits, and none needed before the point.
_WEIGHT: Final = re.compile(r"q=(0?\.[0-9]+|0\.?|1(?:\.0*)?)", re.IGNORECASE)


def preferred_languages(accept_language: str) -> list[str]:
    """Return the language codes in a header ``Accept-Language`` (RFC 9110 section 12.5.4), best first.

    Codes that are not wanted (``q=0``) or whose weight is malformed are left out. So is what goes beyond
    ``MAX_ACCEPT_LANGUAGE``.
    """
    if len(accept_language) > MAX_ACCEPT_LANGUAGE:
        accept_language = accept_language[:MAX_ACCEPT_LANGUAGE].rpartition(",")[0]
    weighted = []
    for item in accept_language.split(","):
        code, *parameters = (part.strip() for part in item.split(";"))
        weight = _weight(parameters)
        if code and weight > 0:
            weighted.append((weight, code))
    weighted.sort(key=lambda pair: pair[0], reverse=True)
    return [code for _, code in weighted]


def _weight(parameters: list[str]) -> float:
    if not parameters:
        return 1.0
    match = _WEIGHT.fullmatch(parameters[0])
    return float(match[1]) if match else 0.0


class LocalizationMixin(HandlerState):
    """``locale``, and the two methods that decide on it."""

    _locale: Locale | None = None

    @property
    def locale(self) -> Locale:
        """The locale of this request; may also be set."""
        if self._locale is None:
            self._locale = self.get_user_locale() or self.get_browser_locale()
        return self._locale

    @locale.setter
    def locale(self, value: Locale) -> None:
        self._locale = value

    def get_user_locale(self) -> Locale | None:
        """Override to tell the locale that the user has chosen; ``None`` means to ask the browser."""
        return None

    def get_browser_locale(self, default: str = "en_US") -> Locale:
        """Return the locale that fits the header ``Accept-Language`` best.

        :param default: the code to use where the header is missing or wants nothing. Where it wants
            languages of which none is there, the process's default locale is used.
        """
        codes = preferred_languages(self.request.headers.get("Accept-Language", ""))
        return get_locale(*codes) if codes else get_locale(default)
