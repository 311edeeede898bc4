"""Text, dates, numbers and lists in the user's language.

Strings are written in the default locale's language in the program, and translated by way of a table of the
user's locale::

    load_translations("translations")               # es_MX.csv, fr_FR.csv, ...
    locale = get("es_MX", "es")                     # the closest that there is
    locale.translate("Sign out")
    locale.translate("%(list)s is online", "%(list)s are online", len(people)) % {"list": locale.list(people)}

The tables are CSV files (`load_translations`) or compiled gettext catalogues (`load_gettext_translations`).
Without either, strings stay as they are:

>>> get("xx").translate("Sign out"), get("en_US").friendly_number(1234567)
('Sign out', '1,234,567')

Loading replaces all translations of the process, at once and in whole: a request that is being served
meanwhile sees the old ones or the new. In handlers, ``self.locale`` is the user's locale and ``_`` its
``translate`` in templates.
"""

from __future__ import annotations

import datetime
import os
import re
from typing import TYPE_CHECKING, Any, ClassVar

from gustnado.log import gen_log
from gustnado.web.locale_names import LOCALE_NAMES

if TYPE_CHECKING:
    import gettext
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "LOCALE_NAMES",
    "CSVLocale",
    "GettextLocale",
    "Locale",
    "get",
    "get_supported_locales",
    "load_gettext_translations",
    "load_translations",
    "set_default_locale",
]

CONTEXT_SEPARATOR = "\x04"
"""Stands between context and message in gettext's catalogues."""

# The process's translations, as the functions below promise. Each is replaced, never changed.
_default_locale = "en_US"
_translations: Mapping[str, Any] = {}
_supported_locales: frozenset[str] = frozenset([_default_locale])
_use_gettext = False

_CODE = re.compile(r"[a-z]+(_[A-Z]+)?")
_RIGHT_TO_LEFT = frozenset(["ar", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"])

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def get(*locale_codes: str) -> Locale:
    """The closest locale that there is for the first of the codes that has one; see `Locale.get_closest`."""
    return Locale.get_closest(*locale_codes)


def set_default_locale(code: str) -> None:
    """Sets the locale of the strings in the program, which need no translations. It is ``en_US`` at first."""
    global _default_locale
    _default_locale = code
    _install(_translations, _use_gettext)


def get_supported_locales() -> Iterable[str]:
    """The codes of all locales that have translations, and of the default one."""
    return _supported_locales


def load_translations(directory: str, encoding: str | None = None) -> None:
    """Loads the CSV files ``LOCALE.csv`` of a directory, such as ``es_GT.csv``.

    Each row is a string, its translation, and, where it has two, which it is: ``plural`` or ``singular``::

        "I love you","Te amo"
        "%(name)s liked this","A %(name)s les gustó esto","plural"
        "%(name)s liked this","A %(name)s le gustó esto","singular"

    :param encoding: of the files; default: UTF-16 where a file begins with its byte order mark, else UTF-8.
    """
    translations: dict[str, dict[str, dict[str, str]]] = {}
    for file_name in sorted(os.listdir(directory)):
        code, extension = os.path.splitext(file_name)
        path = os.path.join(directory, file_name)
        if extension != ".csv":
            continue
        if not _CODE.fullmatch(code):
            gen_log.error("Unrecognized locale %r (path: %s)", code, path)
            continue
        translations[code] = _read_csv(path, encoding or _csv_encoding(path))
    _install(translations, use_gettext=False)


def _csv_encoding(path: str) -> str:
    with open(path, "rb") as file:
        return "utf-16" if file.read(2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _read_csv(path: str, encoding: str) -> dict[str, dict[str, str]]:
    """Translations by ``plural``, ``singular`` or ``unknown``."""
    import csv

    table: dict[str, dict[str, str]] = {}
    with open(path, encoding=encoding, newline="") as file:
        for line, row in enumerate(csv.reader(file), 1):
            if len(row) < 2:
                continue
            message, translation, *more = (cell.strip() for cell in row)
            number = (more and more[0]) or "unknown"
            if number not in ("plural", "singular", "unknown"):
                gen_log.error("Unrecognized plural indicator %r in %s line %d", number, path, line)
                continue
            table.setdefault(number, {})[message] = translation
    return table


def load_gettext_translations(directory: str, domain: str) -> None:
    """Loads the catalogues ``{directory}/{locale}/LC_MESSAGES/{domain}.mo``.

    To make them: ``xgettext --language=Python --keyword=_:1,2 --keyword=pgettext:1c,2
    --keyword=pgettext:1c,2,3`` collects the strings of sources and templates, ``msgmerge`` adds them to a
    language's ``.po`` file, and ``msgfmt`` compiles that. A catalogue that cannot be read is logged and
    left out.
    """
    import gettext

    translations: dict[str, gettext.NullTranslations] = {}
    for code in sorted(os.listdir(directory)):
        if not os.path.isfile(os.path.join(directory, code, "LC_MESSAGES", f"{domain}.mo")):
            continue
        try:
            translations[code] = gettext.translation(domain, directory, languages=[code])
        except Exception as error:  # gettext lets out whatever a broken file makes it stumble over
            gen_log.error("Cannot load translation for %r: %s", code, error)
    _install(translations, use_gettext=True)


def _install(translations: Mapping[str, Any], use_gettext: bool) -> None:
    global _translations, _supported_locales, _use_gettext
    _translations = translations
    _use_gettext = use_gettext
    _supported_locales = frozenset([*translations, _default_locale])
    Locale._cache = {}
    gen_log.debug("Supported locales: %s", sorted(_supported_locales))


class Locale:
    """A language, and usually a country. Get one from `get`; subclasses know how to translate."""

    code: str
    """Such as ``pt_BR``."""
    name: str
    """The language's name in the language."""
    rtl: bool
    """Whether it is written from right to left."""

    _cache: ClassVar[dict[str, Locale]] = {}

    @classmethod
    def get_closest(cls, *locale_codes: str) -> Locale:
        """The locale of the first code that is supported, with its country or without; or the default one."""
        for code in locale_codes:
            language, *countries = code.replace("-", "_").split("_") if code else [""]
            if len(countries) > 1:
                continue
            exact = f"{language.lower()}_{countries[0].upper()}" if countries else language
            for candidate in (exact, language.lower()):
                if candidate in _supported_locales:
                    return cls.get(candidate)
        return cls.get(_default_locale)

    @classmethod
    def get(cls, code: str) -> Locale:
        """The locale of just that code.

        :raises ValueError: if it is not supported.
        """
        locale = cls._cache.get(code)
        if locale is None:
            if code not in _supported_locales:
                raise ValueError(f"unsupported locale: {code!r}")
            translations = _translations.get(code)
            if translations is not None and _use_gettext:
                locale = GettextLocale(code, translations)
            else:
                locale = CSVLocale(code, translations or {})
            cls._cache[code] = locale
        return locale

    def __init__(self, code: str) -> None:
        self.code = code
        self.name = LOCALE_NAMES.get(code, {}).get("name", "Unknown")
        self.rtl = code.split("_", 1)[0] in _RIGHT_TO_LEFT
        self._months = [self.translate(month) for month in _MONTHS]
        self._weekdays = [self.translate(day) for day in _WEEKDAYS]

    def translate(self, message: str, plural_message: str | None = None, count: int | None = None) -> str:
        """The translation of ``message``, or of ``plural_message`` if that is given and ``count`` is not 1.

        :raises ValueError: if there is a plural message but no count.
        """
        raise NotImplementedError

    def pgettext(
        self, context: str, message: str, plural_message: str | None = None, count: int | None = None
    ) -> str:
        """As `translate`, of a message that means different things in different contexts."""
        raise NotImplementedError

    def format_date(
        self,
        date: float | datetime.datetime,
        gmt_offset: int = 0,
        relative: bool = True,
        shorter: bool = False,
        full_format: bool = False,
    ) -> str:
        """A moment of the past, as "2 minutes ago", "yesterday at 10:02 am", or "July 10, 1980 at 3:14 pm".

        :param date: a datetime (UTC if it is naive), or seconds since 1970.
        :param gmt_offset: minutes that the user's clock is behind UTC.
        :param relative: as "... ago" where that is less than a day.
        :param shorter: without the time of day where there is a date.
        :param full_format: with the year, always. So is a moment that is more than a minute in the future.
        """
        if isinstance(date, (int, float)):
            date = datetime.datetime.fromtimestamp(date, datetime.UTC)
        elif date.tzinfo is None:
            date = date.replace(tzinfo=datetime.UTC)
        now = datetime.datetime.now(datetime.UTC)
        if date > now:
            if relative and (date - now).total_seconds() < 60:
                date = now  # clocks differ a little
            else:
                full_format = True
        if relative and not full_format and (now - date).days == 0:
            return self._ago((now - date).seconds)
        offset = datetime.timedelta(minutes=gmt_offset)
        date, now = date - offset, now - offset
        pattern = None if full_format else self._recent_pattern(date, now, relative, shorter)
        if pattern is None:
            pattern = "%(month_name)s %(day)s, %(year)s" + ("" if shorter else " at %(time)s")
        return self._format_pattern(pattern, date)

    def _ago(self, seconds: int) -> str:
        if seconds < 50:
            return self.translate("1 second ago", "%(seconds)d seconds ago", seconds) % {"seconds": seconds}
        if seconds < 50 * 60:
            minutes = round(seconds / 60)
            return self.translate("1 minute ago", "%(minutes)d minutes ago", minutes) % {"minutes": minutes}
        hours = round(seconds / 3600)
        return self.translate("1 hour ago", "%(hours)d hours ago", hours) % {"hours": hours}

    def _recent_pattern(
        self, date: datetime.datetime, now: datetime.datetime, relative: bool, shorter: bool
    ) -> str | None:
        """How to write a date of the last eleven months (a year would show the same month again)."""
        days = (now - date).days
        if days == 0:
            return "%(time)s"
        if days == 1 and relative and date.day == (now - datetime.timedelta(days=1)).day:
            return "yesterday" if shorter else "yesterday at %(time)s"
        if days < 5:
            return "%(weekday)s" if shorter else "%(weekday)s at %(time)s"
        if days < 334:
            return "%(month_name)s %(day)s" if shorter else "%(month_name)s %(day)s at %(time)s"
        return None

    def _format_pattern(self, pattern: str, date: datetime.datetime) -> str:
        return self.translate(pattern) % {
            "month_name": self._months[date.month - 1],
            "weekday": self._weekdays[date.weekday()],
            "day": str(date.day),
            "year": str(date.year),
            "time": self._format_time(date),
        }

    def _format_time(self, date: datetime.datetime) -> str:
        hour, afternoon = date.hour % 12 or 12, date.hour >= 12
        if self.code == "zh_CN":
            return f"{'下午' if afternoon else '上午'}{hour}:{date.minute:02}"
        if self.code in ("en", "en_US"):
            return f"{hour}:{date.minute:02} {'pm' if afternoon else 'am'}"
        return f"{date.hour}:{date.minute:02}"

    def format_day(self, date: datetime.datetime, gmt_offset: int = 0, dow: bool = True) -> str:
        """A day, as "Monday, January 22", or without its weekday if not ``dow``."""
        pattern = "%(weekday)s, %(month_name)s %(day)s" if dow else "%(month_name)s %(day)s"
        return self._format_pattern(pattern, date - datetime.timedelta(minutes=gmt_offset))

    def list(self, parts: Sequence[str]) -> str:
        """The parts in a row: "A, B and C", "A and B", "A", or the empty string."""
        if len(parts) < 2:
            return parts[0] if parts else ""
        comma = " و " if self.code.startswith("fa") else ", "
        pattern = self.translate("%(commas)s and %(last)s")
        return pattern % {"commas": comma.join(parts[:-1]), "last": parts[-1]}

    def friendly_number(self, value: int) -> str:
        """The number with commas between thousands, where that is the custom."""
        return f"{value:,}" if self.code in ("en", "en_US") else str(value)


def _needed(count: int | None) -> int:
    if count is None:
        raise ValueError("a plural message needs a count")
    return count


class CSVLocale(Locale):
    """A locale with the translations of a CSV file."""

    translations: Mapping[str, Mapping[str, str]]

    def __init__(self, code: str, translations: Mapping[str, Mapping[str, str]]) -> None:
        self.translations = translations
        super().__init__(code)

    def translate(self, message: str, plural_message: str | None = None, count: int | None = None) -> str:
        number = "unknown"
        if plural_message is not None:
            number = "singular" if _needed(count) == 1 else "plural"
            message = message if count == 1 else plural_message
        return self.translations.get(number, {}).get(message, message)

    def pgettext(
        self, context: str, message: str, plural_message: str | None = None, count: int | None = None
    ) -> str:
        if self.translations:
            gen_log.warning("CSV translations have no contexts: pgettext() ignores %r", context)
        return self.translate(message, plural_message, count)


class GettextLocale(Locale):
    """A locale with the translations of a gettext catalogue."""

    def __init__(self, code: str, translations: gettext.NullTranslations) -> None:
        self.gettext = translations.gettext
        self.ngettext = translations.ngettext
        super().__init__(code)

    def translate(self, message: str, plural_message: str | None = None, count: int | None = None) -> str:
        if plural_message is None:
            return self.gettext(message)
        return self.ngettext(message, plural_message, _needed(count))

    def pgettext(
        self, context: str, message: str, plural_message: str | None = None, count: int | None = None
    ) -> str:
        prefix = context + CONTEXT_SEPARATOR
        if plural_message is None:
            result = self.gettext(prefix + message)
            return message if CONTEXT_SEPARATOR in result else result
        result = self.ngettext(prefix + message, prefix + plural_message, _needed(count))
        if CONTEXT_SEPARATOR in result:  # not found
            return self.ngettext(message, plural_message, _needed(count))
        return result
