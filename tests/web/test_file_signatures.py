from __future__ import annotations

import os
import sys

import pytest

from gustnado.web.file_signatures import file_signature, signature_of, size_of


def test_a_signature_tells_states_of_a_file_apart(tmp_path):
    file = tmp_path / "a"
    file.write_text("one")
    first = file_signature(str(file))
    assert first == file_signature(str(file)) == signature_of(os.stat(file))
    os.utime(file, ns=(0, 0))
    assert file_signature(str(file)) != first
    file.write_text("three")
    assert file_signature(str(file)) != first


@pytest.mark.parametrize("seconds", [0, -1.75, 1.75, 8_999_999_999, 9_000_000_001, 10_000_000_000, -10_000_000_000])
def test_it_is_what_python_tells_of_any_time(tmp_path, seconds):
    """A file system may have times that do not fit into a number of nanoseconds of 64 bits."""
    file = tmp_path / "a"
    file.touch()
    os.utime(file, (0, seconds))
    assert file_signature(str(file)) == signature_of(os.stat(file))


def test_links_are_followed_and_directories_have_one(tmp_path):
    file, link = tmp_path / "a", tmp_path / "b"
    file.touch()
    link.symlink_to(file)
    assert file_signature(str(link)) == signature_of(os.stat(file)) != signature_of(os.lstat(link))
    assert file_signature(str(tmp_path)) == signature_of(os.stat(tmp_path))


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes")
def test_names_that_are_no_text(tmp_path):
    file = os.fsdecode(os.path.join(os.fsencode(tmp_path), b"\xff\xc3\xa4"))
    with open(file, "wb"):
        pass
    assert file_signature(file) == signature_of(os.stat(file))


def test_what_is_no_file_has_none(tmp_path):
    (tmp_path / "file").touch()
    for path in (str(tmp_path / "none"), str(tmp_path / "file" / "below"), str(tmp_path / ("a" * 300))):
        assert file_signature(path) is None
    for path in ("a\0b", "\ud800", ""):
        assert file_signature(path) is None


def test_what_is_no_path_is_an_error():
    with pytest.raises(TypeError):
        file_signature(None)


def test_the_size_is_in_the_signature(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert size_of(file_signature(str(path))) == 5
