"""Names of uploaded files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.web.uploads import MAX_FILENAME, safe_filename


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("Übung 1.txt", "Übung 1.txt"),
        ("../../x", "x"),
        ("/etc/passwd", "passwd"),
        ("C:\\x\\y.txt", "y.txt"),
        ("..\\..\\y.txt", "y.txt"),
        ("\\\\host\\share\\y.txt", "y.txt"),
        ("x\x00.png", "x_.png"),
        ("a\r\nb", "a_b"),
        ("file.txt::$DATA", "file.txt_$DATA"),
        (".htaccess", "htaccess"),
        ("...", "file"),
        ("", "file"),
        ("a/", "file"),
        ("___", "file"),
        ("trailing. .", "trailing"),
        ("CON", "_CON"),
        ("con.txt", "_con.txt"),
        ("Com1.tar.gz", "_Com1.tar.gz"),
        ("console.txt", "console.txt"),
        ("lpt¹", "_lpt¹"),
        ("gpj.\u202eexe", "gpj._exe"),
        ("\ud800", "file"),
    ],
)
def test_141_names(name, safe):
    assert safe_filename(name) == safe


def test_the_default_may_be_another():
    assert safe_filename("..", default="upload") == "upload"


@pytest.mark.parametrize(
    ("name", "end"), [("é" * 300 + ".txt", ".txt"), ("x" * 300, "x"), ("x." + "y" * 300, "y"), ("." * 300 + "a", "a")]
)
def test_a_long_one_is_cut_before_its_extension(name, end):
    safe = safe_filename(name)
    assert len(safe.encode()) <= MAX_FILENAME
    assert safe.endswith(end)


@given(st.text(max_size=300) | st.text(alphabet="./\\:con\x00 _é", max_size=300))
def test_any_name_becomes_one_of_a_file(name):
    safe = safe_filename(name)
    assert safe
    assert not set(safe) & set('/\\:\x00\r\n<>"|?*')
    assert safe[0] not in ". "
    assert safe[-1] not in ". "
    assert len(safe.encode()) <= MAX_FILENAME + 1
    assert safe_filename(safe) == safe
