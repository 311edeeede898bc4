from __future__ import annotations

import datetime
import email.utils
import time
from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.http import dates
from gustnado.http.dates import format_timestamp, now_imf_fixdate, parse_http_date

SECONDS = 1359312200
TEXT = "Sun, 27 Jan 2013 18:43:20 GMT"
LAST_SECOND = 253402300799  # of the year 9999
FIRST_SECOND = -62135596800  # of the year 1
NOW = datetime.datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)

seconds = st.integers(FIRST_SECOND, LAST_SECOND)


@pytest.mark.parametrize(
    "timestamp",
    [
        SECONDS,
        SECONDS + 0.503611,
        time.gmtime(SECONDS),
        tuple(time.gmtime(SECONDS)),
        datetime.datetime(2013, 1, 27, 18, 43, 20, 999999),  # naive: taken as UTC
        datetime.datetime(2013, 1, 27, 18, 43, 20, tzinfo=UTC),
        datetime.datetime(2013, 1, 27, 14, 43, 20, tzinfo=datetime.timezone(-datetime.timedelta(hours=4))),
    ],
    ids=["int", "float", "struct_time", "tuple", "naive", "utc", "other zone"],
)
def test_formats_every_kind_of_timestamp(timestamp):
    assert format_timestamp(timestamp) == TEXT


@pytest.mark.parametrize("timestamp", ["Sun, 27 Jan 2013 18:43:20 GMT", None, b"1", [2013, 1, 27]])
def test_format_refuses_what_is_no_timestamp(timestamp):
    with pytest.raises(TypeError):
        format_timestamp(timestamp)


@pytest.mark.parametrize(
    "timestamp",
    [
        LAST_SECOND + 1,
        FIRST_SECOND - 1,
        10**20,
        float("inf"),
        float("nan"),
        datetime.datetime(1, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=1))),
    ],
)
def test_145_format_refuses_times_beyond_four_digit_years(timestamp):
    with pytest.raises(ValueError):
        format_timestamp(timestamp)


@given(seconds)
@settings(deadline=None)
def test_format_agrees_with_the_standard_library(timestamp):
    expected = datetime.datetime(1970, 1, 1, tzinfo=UTC) + datetime.timedelta(seconds=timestamp)
    assert format_timestamp(timestamp) == email.utils.format_datetime(expected, usegmt=True)


@given(seconds)
@settings(deadline=None)
def test_what_is_formatted_can_be_parsed(timestamp):
    parsed = parse_http_date(format_timestamp(timestamp))
    assert parsed is not None
    assert parsed - datetime.datetime(1970, 1, 1, tzinfo=UTC) == datetime.timedelta(seconds=timestamp)


def test_the_current_date_is_formatted_once_a_second(monkeypatch):
    formatted = []

    def format_seconds(value):
        formatted.append(value)
        return f"date {value}"

    monkeypatch.setattr(dates, "_format_seconds", format_seconds)
    now_imf_fixdate.cache_clear()
    try:
        assert [now_imf_fixdate(second) for second in (7, 7, 8, 8, 7)] == [
            f"date {second}" for second in (7, 7, 8, 8, 7)
        ]
    finally:
        now_imf_fixdate.cache_clear()
    assert formatted == [7, 8]


@pytest.mark.parametrize(
    "value",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Mon, 06 Nov 1994 08:49:37 GMT",
    ],
    ids=["IMF-fixdate", "RFC 850", "asctime", "wrong weekday"],
)
def test_parses_the_three_forms_of_rfc_9110(value):
    parsed = parse_http_date(value, now=NOW)
    assert parsed == datetime.datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Sun, 31 Dec 2016 23:59:60 GMT", datetime.datetime(2017, 1, 1, tzinfo=UTC)),
        ("Thu, 29 Feb 2024 00:00:00 GMT", datetime.datetime(2024, 2, 29, tzinfo=UTC)),
        ("Thu Nov 16 08:49:37 1994", datetime.datetime(1994, 11, 16, 8, 49, 37, tzinfo=UTC)),
    ],
)
def test_parses_leap_seconds_and_days(value, expected):
    assert parse_http_date(value) == expected


@pytest.mark.parametrize(
    ("value", "year"),
    [
        ("Tuesday, 23-Nov-76 12:00:00 GMT", 2076),  # 50 years ahead, to the second
        ("Tuesday, 23-Nov-76 12:00:01 GMT", 1976),
        ("Tuesday, 24-Nov-76 00:00:00 GMT", 1976),
        ("Tuesday, 01-Jan-26 00:00:00 GMT", 2026),
        ("Tuesday, 01-Jan-27 00:00:00 GMT", 2027),
        ("Tuesday, 01-Jan-77 00:00:00 GMT", 1977),
        ("Tuesday, 01-Jan-00 00:00:00 GMT", 2000),
    ],
)
def test_a_two_digit_year_is_at_most_50_years_ahead(value, year):
    parsed = parse_http_date(value, now=NOW)
    assert parsed is not None
    assert parsed.year == year


def test_a_two_digit_year_near_the_end_of_a_century_may_be_of_the_next():
    parsed = parse_http_date("Saturday, 01-Jan-05 00:00:00 GMT", now=NOW.replace(year=1999))
    assert parsed is not None
    assert parsed.year == 2005


def test_now_may_be_of_any_zone():
    eastern = NOW.astimezone(datetime.timezone(datetime.timedelta(hours=9)))
    assert parse_http_date("Tuesday, 23-Nov-76 12:00:01 GMT", now=eastern) == NOW.replace(year=1976, second=1)


def test_a_two_digit_year_is_understood_from_the_clock():
    year = datetime.datetime.now(UTC).year
    parsed = parse_http_date(f"Monday, 01-Jan-{year % 100:02d} 00:00:00 GMT")
    assert parsed is not None
    assert parsed.year == year


@pytest.mark.parametrize(
    "value",
    [
        "",
        "0",
        "garbage",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT\n",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "sun, 06 nov 1994 08:49:37 gmt",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 30 Feb 2020 00:00:00 GMT",
        "Sun, 29 Feb 2023 00:00:00 GMT",
        "Sun, 00 Jan 2020 00:00:00 GMT",
        "Sun, 01 Jan 0000 00:00:00 GMT",
        "Sun, 01 Jan 2020 24:00:00 GMT",
        "Sun, 01 Jan 2020 00:60:00 GMT",
        "Sun, 01 Jan 2020 00:00:61 GMT",
        "Fri, 31 Dec 9999 23:59:60 GMT",
        "Sun, \u0660\u0661 Jan 2020 00:00:00 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sunday, 31-Feb-94 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 GMT" + "x" * 100_000,
    ],
)
def test_T19_150_an_invalid_date_is_none(value):
    assert parse_http_date(value) is None


@given(st.text() | st.from_regex(r"\A[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT\Z"))
@settings(deadline=None)
def test_parsing_never_raises(value):
    parsed = parse_http_date(value)
    assert parsed is None or parsed.tzinfo is UTC
