from __future__ import annotations

import types

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.http.headers import HTTPHeaders
from gustnado.web import locale
from gustnado.web.handler.localization import MAX_ACCEPT_LANGUAGE, LocalizationMixin, preferred_languages


class Handler(LocalizationMixin):
    def __init__(self, *accept_language: str) -> None:
        headers = HTTPHeaders()
        for value in accept_language:
            headers.add("Accept-Language", value)
        self.request = types.SimpleNamespace(headers=headers)  # type: ignore[assignment]


@pytest.fixture
def translations(tmp_path):
    for code in ("fr_FR", "de", "pt_BR"):
        (tmp_path / f"{code}.csv").write_text('"Hello","..."\n')
    locale.load_translations(str(tmp_path))
    yield
    (tmp_path / "none").mkdir()
    locale.load_translations(str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("header", "codes"),
    [
        ("", []),
        ("fr", ["fr"]),
        ("fr, de ,pt-BR", ["fr", "de", "pt-BR"]),
        ("fr;q=0.2,de;q=0.9,en", ["en", "de", "fr"]),
        ("fr; q=0.2 , de ; q=0.9", ["de", "fr"]),
        ("fr;Q=1.000,de;q=.5,en;q=0", ["fr", "de"]),
        ("fr;q=-1,de;q=1.1,en;q=nan,es;q=inf,it;q=1e9,nl;q=,da;x=1,no;q=0.1234567", ["no"]),
        (",,;q=1, ;,", []),
        ("*", ["*"]),
    ],
)
def test_languages_by_weight(header, codes):
    assert preferred_languages(header) == codes


def test_only_the_beginning_of_a_long_header_is_looked_at():
    codes = preferred_languages("fr," * 100_000)
    assert set(codes) == {"fr"}
    assert len(codes) == MAX_ACCEPT_LANGUAGE // 3


def test_what_is_cut_apart_is_dropped():
    assert preferred_languages("a" * (MAX_ACCEPT_LANGUAGE - 2) + ",frFR") == ["a" * (MAX_ACCEPT_LANGUAGE - 2)]
    assert preferred_languages("a" * (MAX_ACCEPT_LANGUAGE + 1)) == []


@given(st.text(alphabet="abfr-_;q=.019, \t*"))
@settings(deadline=None, max_examples=200)
def test_any_header_gives_codes_that_stand_in_it(header):
    codes = preferred_languages(header)
    assert all(code and code in header for code in codes)


@pytest.mark.usefixtures("translations")
class TestLocale:
    @pytest.mark.parametrize(
        ("header", "code"),
        [
            ("fr-FR;q=0.9", "fr_FR"),
            ("xx, de-AT;q=0.5, fr-FR;q=0.4", "de"),
            ("fr-FR;q=0", "en_US"),
            ("fr-FR;q=-1", "en_US"),
            ("xx", "en_US"),
        ],
    )
    def test_is_what_the_browser_likes_best(self, header, code):
        assert Handler(header).locale.code == code

    def test_several_header_lines_are_one_list(self):
        assert Handler("xx", "de").locale.code == "de"

    def test_without_the_header_it_is_the_default(self):
        assert Handler().get_browser_locale().code == "en_US"
        assert Handler().get_browser_locale(default="de").code == "de"

    def test_the_users_choice_comes_first(self):
        class Chosen(Handler):
            def get_user_locale(self):
                return locale.get("pt_BR")

        assert Chosen("de").locale.code == "pt_BR"

    def test_is_asked_for_once(self):
        calls = []

        class Counting(Handler):
            def get_user_locale(self):
                calls.append(1)

        handler = Counting("de")
        assert handler.locale is handler.locale
        assert len(calls) == 1

    def test_may_be_set(self):
        handler = Handler("de")
        handler.locale = locale.get("fr_FR")
        assert handler.locale.code == "fr_FR"
