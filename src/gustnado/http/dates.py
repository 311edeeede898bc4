"""Dates as HTTP writes them: RFC 9110 section 5.6.7.

One format is written (IMF-fixdate), three are read. Names of days and months come from tables here,
since ``strftime`` follows the process's locale.

>>> format_timestamp(1359312200)
'Sun, 27 Jan 2013 18:43:20 GMT'
>>> parse_http_date("Sun, 27 Jan 2013 18:43:20 GMT")
datetime.datetime(2013, 1, 27, 18, 43, 20, tzinfo=datetime.timezone.utc)
"""

from __future__ import annotations

import calendar
import functools
import math
import re
import time
from datetime import UTC, date, datetime, timedelta

__all__ = ["format_timestamp", "now_imf_fixdate", "parse_http_date"]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_FULL_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_NUMBERS = {name: number for number, name in enumerate(_MONTHS, 1)}
_TWO_DIGITS = tuple(f"{number:02d}" for number in range(60))
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()

_DAY, _FULL_DAY, _MONTH = (f"(?:{'|'.join(names)})" for names in (_DAYS, _FULL_DAYS, _MONTHS))
_TIME = "(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_FORMATS = tuple(
    re.compile(pattern)
    for pattern in (
        # IMF-fixdate: Sun, 06 Nov 1994 08:49:37 GMT
        f"{_DAY}, (?P<day>[0-9]{{2}}) (?P<month>{_MONTH}) (?P<year>[0-9]{{4}}) {_TIME} GMT",
        # RFC 850, obsolete: Sunday, 06-Nov-94 08:49:37 GMT
        f"{_FULL_DAY}, (?P<day>[0-9]{{2}})-(?P<month>{_MONTH})-(?P<year>[0-9]{{2}}) {_TIME} GMT",
        # asctime, obsolete: Sun Nov  6 08:49:37 1994
        f"{_DAY} (?P<month>{_MONTH}) (?P<day>[0-9]{{2}}| [0-9]) {_TIME} (?P<year>[0-9]{{4}})",
    )
)


def format_timestamp(ts: float | tuple[int, ...] | time.struct_time | datetime) -> str:
    """Write a point in time as an IMF-fixdate, the form of ``Date``, ``Expires`` and ``Last-Modified``.

    :param ts: seconds since the epoch as of :func:`time.time`, a UTC tuple as of :func:`time.gmtime`,
        or a datetime: a naive one is taken as UTC, an aware one is converted. Fractions of a second
        are cut off.
    :raises TypeError: where ``ts`` is none of these.
    :raises ValueError: where it is not a time of the years 1 to 9999.
    """
    try:
        if isinstance(ts, (int, float)):
            return _format_seconds(math.floor(ts))
        if isinstance(ts, tuple):
            return _format_seconds(calendar.timegm(ts))
        if isinstance(ts, datetime):
            return _format_seconds(calendar.timegm(ts.utctimetuple()))
    except OverflowError as error:
        raise ValueError(f"time out of range: {ts!r}") from error
    raise TypeError(f"not a timestamp: {ts!r}")


@functools.lru_cache(maxsize=2)
def now_imf_fixdate(epoch_seconds: int) -> str:
    """Write whole seconds since the epoch as an IMF-fixdate, remembering the last result.

    A server that asks once a response for the current second pays for the formatting once a second.

    >>> now_imf_fixdate(0)
    'Thu, 01 Jan 1970 00:00:00 GMT'
    """
    return _format_seconds(epoch_seconds)


def parse_http_date(value: str, *, now: datetime | None = None) -> datetime | None:
    """Read an HTTP date in any of the three forms that RFC 9110 section 5.6.7 has recipients accept.

    The name of the weekday must be one, but need not be the right one. The second may be 60 (a leap
    second), which is read as the second after it.

    :param now: the time from which a two-digit year is understood; aware. ``None``: the current time.
    :returns: an aware datetime in UTC, or ``None`` where ``value`` is not such a date.
    """
    for pattern in _FORMATS:
        match = pattern.fullmatch(value)
        if match is not None:
            return _to_datetime(match, now)
    return None


def _format_seconds(seconds: int) -> str:
    days, second_of_day = divmod(seconds, 86400)
    minutes, second = divmod(second_of_day, 60)
    hour, minute = divmod(minutes, 60)
    day = date.fromordinal(_EPOCH_ORDINAL + days)
    return (
        f"{_DAYS[day.weekday()]}, {_TWO_DIGITS[day.day]} {_MONTHS[day.month - 1]} {day.year:04d}"
        f" {_TWO_DIGITS[hour]}:{_TWO_DIGITS[minute]}:{_TWO_DIGITS[second]} GMT"
    )


def _to_datetime(match: re.Match[str], now: datetime | None) -> datetime | None:
    month = _MONTH_NUMBERS[match["month"]]
    day, hour, minute, second = [int(match[name]) for name in ("day", "hour", "minute", "second")]
    year = int(match["year"])
    if len(match["year"]) == 2:
        year = _full_year(year, (month, day, hour, minute, second), now or datetime.now(UTC))
    leap = timedelta(seconds=1) if second == 60 else timedelta()
    try:
        return datetime(year, month, day, hour, minute, 59 if leap else second, tzinfo=UTC) + leap
    except (ValueError, OverflowError):  # 30 Feb, 25:00:00; the leap second of the year 9999
        return None


def _full_year(two_digits: int, rest: tuple[int, int, int, int, int], now: datetime) -> int:
    """The latest year that ends so and puts the date no more than 50 years into the future."""
    utc_now = now.astimezone(UTC)
    year = utc_now.year // 100 * 100 + 100 + two_digits
    while (year - 50, *rest) > utc_now.timetuple()[:6]:
        year -= 100
    return year
