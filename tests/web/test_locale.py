"""Translations from files, the choice of a locale, and dates and numbers in it."""

from __future__ import annotations

import datetime
import struct
import subprocess
import sys

import pytest

from gustnado.web import locale
from gustnado.web.locale import CSVLocale, GettextLocale, Locale

NOW = datetime.datetime(2024, 3, 15, 12, 0, tzinfo=datetime.UTC)  # a Friday


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    """The state of the process is put back."""
    for name in ("_default_locale", "_translations", "_supported_locales", "_use_gettext"):
        monkeypatch.setattr(locale, name, getattr(locale, name))
    monkeypatch.setattr(Locale, "_cache", {})


@pytest.fixture
def now(monkeypatch):
    class FixedDatetime(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return NOW.astimezone(tz)

    monkeypatch.setattr(datetime, "datetime", FixedDatetime)


def write_csv(directory, **files):
    for code, text in files.items():
        (directory / f"{code}.csv").write_bytes(text.encode())


def write_catalogue(path, messages):
    """A ``.mo`` file, as msgfmt writes it; a key may hold a context and a plural."""
    messages = {
        "": "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=n>1;\n"
    } | messages
    keys = [key.encode() for key in sorted(messages)]
    values = [messages[key.decode()].encode() for key in keys]
    header = 7 * 4
    tables = 2 * 8 * len(keys)
    offset = header + tables
    index = []
    for items in (keys, values):
        for item in items:
            index += [len(item), offset]
            offset += len(item) + 1
    path.parent.mkdir(parents=True)
    path.write_bytes(
        struct.pack("<7I", 0x950412DE, 0, len(keys), header, header + 8 * len(keys), 0, 0)
        + struct.pack(f"<{len(index)}I", *index)
        + b"".join(item + b"\0" for item in (*keys, *values))
    )


class TestChoice:
    @pytest.fixture(autouse=True)
    def some(self, tmp_path):
        write_csv(tmp_path, es="a,b", fr_FR="a,b", pt_BR="a,b")
        locale.load_translations(str(tmp_path))

    @pytest.mark.parametrize(
        ("codes", "chosen"),
        [
            (["fr_FR"], "fr_FR"),
            (["fr-fr"], "fr_FR"),
            (["FR_fr"], "fr_FR"),
            (["es_MX"], "es"),
            (["ES"], "es"),
            (["de", "pt-BR"], "pt_BR"),
            (["", "zh_Hans_CN", "es"], "es"),
            (["fr"], "en_US"),
            (["_"], "en_US"),
            ([], "en_US"),
            (["x" * 100_000 + "-" + "y" * 100_000], "en_US"),
            (["-" * 100_000], "en_US"),
        ],
    )
    def test_closest(self, codes, chosen):
        assert locale.get(*codes).code == chosen

    def test_the_default(self):
        locale.set_default_locale("pt_BR")
        assert locale.get("xx").code == "pt_BR"
        assert set(locale.get_supported_locales()) == {"es", "fr_FR", "pt_BR"}
        locale.set_default_locale("de_DE")
        assert locale.get("xx").name == "Deutsch"

    def test_supported(self):
        assert set(locale.get_supported_locales()) == {"en_US", "es", "fr_FR", "pt_BR"}

    def test_one_that_is_not_supported(self):
        with pytest.raises(ValueError, match="'xx'"):
            Locale.get("xx")

    def test_each_is_made_once(self):
        assert Locale.get("es") is Locale.get("es")

    def test_name_and_direction(self, tmp_path):
        write_csv(tmp_path, he_IL="a,b", ar="a,b")
        locale.load_translations(str(tmp_path))
        assert (locale.get("he").rtl, locale.get("he_IL").rtl, locale.get("ar").rtl) == (False, True, True)
        assert locale.get("fr_FR").rtl is False
        assert locale.get("fr_FR").name == "Fran\xe7ais"
        assert locale.get("ar").name == "Unknown"


class TestCSV:
    def test_translation(self, tmp_path):
        write_csv(
            tmp_path,
            fr_FR='school,\xe9cole\n"%(n)s liked","%(n)s ont aim\xe9",plural\n'
            '"%(n)s likes",%(n)s aime,singular\n'
            "\nlonely\n spaced , out \nMonday,lundi,\n",
        )
        locale.load_translations(str(tmp_path))
        french = locale.get("fr_FR")
        assert isinstance(french, CSVLocale)
        assert french.translate("school") == "\xe9cole"
        assert french.translate("%(n)s likes", "%(n)s liked", 2) == "%(n)s ont aim\xe9"
        assert french.translate("%(n)s likes", "%(n)s liked", 1) == "%(n)s aime"
        assert french.translate("spaced") == "out"
        assert french.translate("lonely") == "lonely"
        assert french.translate("unknown", "unknowns", 3) == "unknowns"

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
    def test_encodings(self, tmp_path, encoding):
        text = "\ufeffschool,\xe9cole" if encoding == "utf-16-be" else "school,\xe9cole"
        (tmp_path / "fr_FR.csv").write_bytes(text.encode(encoding))
        write_csv(tmp_path, es="school,escuela", zu="school,isikole")
        locale.load_translations(str(tmp_path))
        assert locale.get("fr_FR").translate("school") == "\xe9cole"
        assert locale.get("es").translate("school") == "escuela"
        assert locale.get("zu").translate("school") == "isikole"

    def test_an_encoding_that_is_named(self, tmp_path):
        (tmp_path / "fr_FR.csv").write_bytes("school,\xe9cole".encode("latin-1"))
        locale.load_translations(str(tmp_path), "latin-1")
        assert locale.get("fr_FR").translate("school") == "\xe9cole"

    def test_what_is_not_understood_is_logged_and_left_out(self, tmp_path, expect_log):
        write_csv(tmp_path, es="a,b,many\nc,d", FRENCH="a,b")
        (tmp_path / "a.b.csv").write_text("a,b")
        (tmp_path / "README.txt").write_text("a,b")
        with expect_log("gustnado.general", "Unrecognized locale '(FRENCH|a.b)'", count=2):
            with expect_log("gustnado.general", "plural indicator 'many' in .*es.csv line 1"):
                locale.load_translations(str(tmp_path))
        assert set(locale.get_supported_locales()) == {"en_US", "es"}
        assert locale.get("es").translate("c") == "d"

    def test_loading_again_replaces_all(self, tmp_path):
        write_csv(tmp_path, es="a,b")
        locale.load_translations(str(tmp_path))
        assert locale.get("es").translate("a") == "b"
        write_csv(tmp_path, es="a,c")
        locale.load_translations(str(tmp_path))
        assert locale.get("es").translate("a") == "c"

    def test_contexts_are_not_supported(self, tmp_path, expect_log):
        write_csv(tmp_path, es="right,derecho")
        locale.load_translations(str(tmp_path))
        with expect_log("gustnado.general", "pgettext"):
            assert locale.get("es").pgettext("law", "right") == "derecho"
        assert locale.get("en_US").pgettext("law", "right") == "right"

    def test_a_plural_needs_a_count(self):
        with pytest.raises(ValueError, match="count"):
            locale.get("en_US").translate("one", "many")


class TestGettext:
    @pytest.fixture
    def french(self, tmp_path):
        write_catalogue(
            tmp_path / "fr_FR/LC_MESSAGES/shop.mo",
            {
                "school": "\xe9cole",
                "law\x04right": "le droit",
                "good\x04right": "le bien",
                "horse\0horses": "cheval\0chevaux",
                "stick\x04club\0stick\x04clubs": "le b\xe2ton\0les b\xe2tons",
            },
        )
        locale.load_gettext_translations(str(tmp_path), "shop")
        return locale.get("fr_FR")

    def test_translation(self, french):
        assert isinstance(french, GettextLocale)
        assert french.translate("school") == "\xe9cole"
        assert french.translate("horse", "horses", 1) == "cheval"
        assert french.translate("horse", "horses", 2) == "chevaux"
        assert french.translate("unknown") == "unknown"

    def test_contexts(self, french):
        assert french.pgettext("law", "right") == "le droit"
        assert french.pgettext("good", "right") == "le bien"
        assert french.pgettext("hand", "right") == "right"
        assert french.pgettext("stick", "club", "clubs", 1) == "le b\xe2ton"
        assert french.pgettext("stick", "club", "clubs", 2) == "les b\xe2tons"
        assert french.pgettext("animal", "horse", "horses", 2) == "chevaux"  # without its context

    def test_a_plural_needs_a_count(self, french):
        for call in (french.translate, lambda *args: french.pgettext("c", *args)):
            with pytest.raises(ValueError, match="count"):
                call("one", "many")

    @pytest.mark.parametrize(
        ("count", "plural"),
        [(1, "plik"), (2, "pliki"), (4, "pliki"), (5, "plik\xf3w"), (12, "plik\xf3w"), (22, "pliki")],
    )
    def test_a_language_with_three_forms(self, tmp_path, count, plural):
        forms = "nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);"
        head = f"Content-Type: text/plain; charset=UTF-8\nPlural-Forms: {forms}\n"
        messages = {"": head, "file\0files": "plik\0pliki\0plik\xf3w"}
        write_catalogue(tmp_path / "pl/LC_MESSAGES/shop.mo", messages)
        locale.load_gettext_translations(str(tmp_path), "shop")
        assert locale.get("pl_PL").translate("file", "files", count) == plural

    def test_the_default_locale_needs_no_catalogue(self, french):
        assert locale.get("en_US").translate("school") == "school"

    def test_a_broken_catalogue_is_logged_and_left_out(self, tmp_path, expect_log):
        for code, content in (("de", b"nonsense"), ("it", b"\xde\x12\x04\x95" + b"\xff" * 50)):
            path = tmp_path / code / "LC_MESSAGES/shop.mo"
            path.parent.mkdir(parents=True)
            path.write_bytes(content)
        (tmp_path / "es").mkdir()
        with expect_log("gustnado.general", "Cannot load translation for '(de|it)'", count=2):
            locale.load_gettext_translations(str(tmp_path), "shop")
        assert set(locale.get_supported_locales()) == {"en_US"}

    def test_csv_after_gettext(self, french, tmp_path):
        write_csv(tmp_path, fr_FR="school,ecole")
        locale.load_translations(str(tmp_path))
        assert isinstance(locale.get("fr_FR"), CSVLocale)
        assert locale.get("fr_FR").translate("school") == "ecole"


@pytest.mark.usefixtures("now")
class TestDates:
    @pytest.mark.parametrize(
        ("ago", "text"),
        [
            (datetime.timedelta(seconds=0), "0 seconds ago"),
            (datetime.timedelta(seconds=1), "1 second ago"),
            (datetime.timedelta(seconds=49), "49 seconds ago"),
            (datetime.timedelta(seconds=50), "1 minute ago"),
            (datetime.timedelta(minutes=49), "49 minutes ago"),
            (datetime.timedelta(minutes=50), "1 hour ago"),
            (datetime.timedelta(hours=23), "23 hours ago"),
            (datetime.timedelta(hours=25), "yesterday at 11:00 am"),
            (datetime.timedelta(hours=47), "Wednesday at 1:00 pm"),
            (datetime.timedelta(days=4), "Monday at 12:00 pm"),
            (datetime.timedelta(days=5), "March 10 at 12:00 pm"),
            (datetime.timedelta(days=333), "April 17 at 12:00 pm"),
            (datetime.timedelta(days=334), "April 16, 2023 at 12:00 pm"),
            (datetime.timedelta(seconds=-59), "0 seconds ago"),
            (datetime.timedelta(seconds=-60), "March 15, 2024 at 12:01 pm"),
        ],
    )
    def test_relative(self, ago, text):
        english = locale.get("en_US")
        assert english.format_date(NOW - ago) == text
        assert english.format_date((NOW - ago).replace(tzinfo=None)) == text
        assert english.format_date((NOW - ago).timestamp()) == text

    @pytest.mark.parametrize(
        ("ago", "text"),
        [
            (datetime.timedelta(hours=25), "yesterday"),
            (datetime.timedelta(days=2), "Wednesday"),
            (datetime.timedelta(days=10), "March 5"),
            (datetime.timedelta(days=500), "November 1, 2022"),
        ],
    )
    def test_shorter(self, ago, text):
        assert locale.get("en_US").format_date(NOW - ago, shorter=True) == text

    def test_absolute(self):
        english = locale.get("en_US")
        assert english.format_date(NOW - datetime.timedelta(hours=3), relative=False) == "9:00 am"
        assert english.format_date(NOW - datetime.timedelta(days=1), relative=False) == "Thursday at 12:00 pm"
        assert english.format_date(NOW, full_format=True) == "March 15, 2024 at 12:00 pm"

    def test_offset(self):
        date = NOW - datetime.timedelta(days=1)
        assert locale.get("en_US").format_date(date, gmt_offset=300) == "yesterday at 7:00 am"
        assert locale.get("en_US").format_day(NOW, gmt_offset=13 * 60) == "Thursday, March 14"

    def test_clocks_of_others(self, tmp_path):
        write_csv(tmp_path, de="March,M\xe4rz", zh_CN="a,b")
        locale.load_translations(str(tmp_path))
        date = NOW.replace(day=1)
        assert locale.get("de").format_date(date) == "M\xe4rz 1 at 12:00"
        assert locale.get("zh_CN").format_date(date).endswith("\u4e0b\u534812:00")
        assert locale.get("zh_CN").format_date(date.replace(hour=0)).endswith("\u4e0a\u534812:00")

    def test_days(self):
        english = locale.get("en_US")
        assert english.format_day(datetime.datetime(2013, 4, 28)) == "Sunday, April 28"
        assert english.format_day(datetime.datetime(2013, 4, 28), dow=False) == "April 28"


class TestNumbersAndLists:
    @pytest.mark.parametrize(
        ("value", "text"), [(0, "0"), (999, "999"), (1000000, "1,000,000"), (-1000, "-1,000")]
    )
    def test_numbers(self, value, text):
        assert locale.get("en_US").friendly_number(value) == text

    def test_numbers_elsewhere(self, tmp_path):
        write_csv(tmp_path, de="a,b")
        locale.load_translations(str(tmp_path))
        assert locale.get("de").friendly_number(1000000) == "1000000"

    def test_lists(self, tmp_path):
        english = locale.get("en_US")
        assert [english.list("ABC"[:n]) for n in range(4)] == ["", "A", "A and B", "A, B and C"]
        write_csv(tmp_path, fa_IR="%(commas)s and %(last)s,%(commas)s + %(last)s")
        locale.load_translations(str(tmp_path))
        assert locale.get("fa_IR").list(["A", "B", "C"]) == "A \u0648 B + C"


def test_a_locale_that_cannot_translate_is_none():
    with pytest.raises(NotImplementedError):
        Locale("en_US")
    with pytest.raises(NotImplementedError):
        Locale.pgettext(locale.get("en_US"), "a", "b")


def test_importing_loads_nothing_slow():
    program = (
        "import sys; before = set(sys.modules); import gustnado.log; "
        "sys.modules['gustnado.web'] = type(sys)('gustnado.web'); "
        f"sys.modules['gustnado.web'].__path__ = {[str(locale.__file__).rsplit('/', 1)[0]]!r}; "
        "import gustnado.web.locale; print(sorted({'csv', 'gettext', 'glob'} & set(sys.modules) - before))"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"
