from __future__ import annotations

import pytest

from gustnado.cli.config_file import read_config
from gustnado.errors import UsageError

KNOWN = {"app": str, "port": int, "grace": float, "reload": bool, "fd": list, "limits": dict, "access_log": str}


@pytest.fixture
def read(tmp_path):
    path = tmp_path / "gustnado.toml"

    def of(text: str):
        path.write_text(text, "utf-8")
        return read_config(path, KNOWN)

    return of


def test_each_kind_of_value(read) -> None:
    text = """
        app = "shop:app"
        port = 80
        grace = 5
        reload = true
        fd = [3, 4]
        access-log = "größe.log"
        [limits]
        max_body_size = "1MiB"
    """
    assert read(text) == {
        "app": "shop:app",
        "port": 80,
        "grace": 5,
        "reload": True,
        "fd": [3, 4],
        "access_log": "größe.log",
        "limits": {"max_body_size": "1MiB"},
    }


def test_an_empty_file_sets_nothing(read) -> None:
    assert read("") == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('prot = 1', r"gustnado.toml: there is no option 'prot'; did you mean 'port'\?"),
        ('zzz = 1', "there is no option 'zzz'; known: app, port, "),
        ('port = "80"', "port is an integer, not a string: '80'"),
        ("port = true", "port is an integer, not a boolean: True"),
        ("reload = 1", "reload is a boolean, not an integer: 1"),
        ("grace = '5'", "grace is a number, not a string: '5'"),
        ("app = 5", "app is a string, not an integer"),
        ("limits = 5", "limits is a table, not an integer"),
        ("port = ", "gustnado.toml is no TOML: "),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(read, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read(text)


def test_a_file_that_is_not_there(tmp_path) -> None:
    with pytest.raises(UsageError, match=r"cannot read .*none\.toml: no such file or directory"):
        read_config(tmp_path / "none.toml", KNOWN)


def test_a_file_that_is_no_text(tmp_path) -> None:
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="is no TOML"):
        read_config(tmp_path / "a.toml", KNOWN)
