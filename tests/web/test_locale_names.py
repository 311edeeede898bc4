"""The table of language names."""

from __future__ import annotations

import re

from gustnado.web.locale_names import LOCALE_NAMES


def test_every_entry_has_both_names():
    assert len(LOCALE_NAMES) > 60
    for code, names in LOCALE_NAMES.items():
        assert re.fullmatch("[a-z]{2}_[A-Z]{2}", code)
        assert set(names) == {"name", "name_en"}
        assert all(value == value.strip() != "" for value in names.values())


def test_names_are_in_their_own_script():
    assert LOCALE_NAMES["es_LA"] == {"name_en": "Spanish", "name": "Espa\u00f1ol"}
    assert LOCALE_NAMES["zh_CN"]["name"].startswith("\u4e2d\u6587")
