from __future__ import annotations

import pytest

from gustnado.errors import UsageError
from gustnado.web.template.whitespace import default_mode, filter_whitespace

TEXT = "  a \t b\n \n\t c\r\nd  "


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("all", TEXT), ("single", " a b\nc\nd "), ("oneline", " a b c d ")],
)
def test_modes(mode, expected):
    assert filter_whitespace(mode, TEXT) == expected


@pytest.mark.parametrize("mode", ["", "none", "ALL"])
def test_other_modes_are_errors(mode):
    with pytest.raises(UsageError, match="invalid whitespace mode"):
        filter_whitespace(mode, "")


@pytest.mark.parametrize(
    ("name", "mode"),
    [("a.html", "single"), ("b.js", "single"), ("c.txt", "all"), ("<string>", "all"), ("html", "all")],
)
def test_the_file_name_decides_the_default(name, mode):
    assert default_mode(name) == mode
