from __future__ import annotations

import os

import pytest

from gustnado.web.errors import HTTPError
from gustnado.web.static_paths import check_in_root, is_hidden, resolve_symlinks, stat_regular_file


def status_of(function, *args) -> int:
    with pytest.raises(HTTPError) as caught:
        function(*args)
    return caught.value.status_code


@pytest.mark.parametrize(
    ("root", "path"),
    [
        ("/srv/app", "/srv/app"),
        ("/srv/app", "/srv/app/x"),
        ("/srv/app/", "/srv/app/x/y"),
        ("/", "/etc"),
        ("/", "/"),
    ],
)
def test_what_is_in_the_root(root, path):
    assert check_in_root(root, path, "x") == os.path.join(root, "")


@pytest.mark.parametrize("path", ["/srv", "/srv/app-secret/x", "/srv/ap", "/etc/passwd", "/", "/srv/App/x"])
def test_t8_what_is_not(path):
    assert status_of(check_in_root, "/srv/app", path, "x") == 403


def test_148_nul_is_in_no_path():
    assert status_of(check_in_root, "/srv/app", "/srv/app/a\0.txt", "x") == 404


def test_148_another_stream_of_a_file_is_no_file(monkeypatch):
    monkeypatch.setattr(os, "name", "nt")
    for name in ("a.txt:secret", "a.txt::$DATA"):
        assert status_of(check_in_root, "/srv/app", f"/srv/app/{name}", "x") == 403


def test_a_colon_is_a_letter_elsewhere():
    assert check_in_root("/srv/app", "/srv/app/a:b", "x") == "/srv/app/"


def test_t36_links_may_lead_where_they_are_allowed_to(tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (inside / "file").write_text("x")
    (outside / "file").write_text("x")
    (inside / "near").symlink_to(inside / "file")
    (inside / "far").symlink_to(outside / "file")
    (inside / "nowhere").symlink_to(outside / "nothing")
    (tmp_path / "alias").symlink_to(inside)
    allowed = [str(inside)]
    assert resolve_symlinks(str(inside / "near"), allowed, "x") == str(inside / "file")
    assert resolve_symlinks(str(inside), allowed, "x") == str(inside)
    for name in ("far", "nowhere"):
        assert status_of(resolve_symlinks, str(inside / name), allowed, "x") == 403
    assert resolve_symlinks(str(inside / "far"), [str(inside), str(outside)], "x") == str(outside / "file")
    assert resolve_symlinks(str(tmp_path / "alias" / "file"), [str(tmp_path / "alias")], "x") == str(
        inside / "file"
    )


def test_148_only_regular_files_are_files(tmp_path):
    file, fifo = tmp_path / "file", tmp_path / "fifo"
    file.write_text("four")
    os.mkfifo(fifo)
    assert stat_regular_file(str(file), "x").st_size == 4
    for path in (tmp_path, fifo, "/dev/zero"):
        assert status_of(stat_regular_file, str(path), "x") == 403
    for missing in (tmp_path / "none", file / "below", "a\0b", tmp_path / ("x" * 5000)):
        assert status_of(stat_regular_file, str(missing), "x") == 404


@pytest.mark.parametrize("path", [".env", "a/.b", ".git/x", "a\\.b", "..a", "..."])
def test_148_hidden(path):
    assert is_hidden(path)


@pytest.mark.parametrize("path", ["", "a", "a.b", "a/../b", "./a", ".well-known/a", "a/.well-known", "a./b"])
def test_not_hidden(path):
    assert not is_hidden(path)
