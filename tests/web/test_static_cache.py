from __future__ import annotations

import hashlib
import os

import pytest

from gustnado.errors import OperationError
from gustnado.web.cached_file import CachedFile
from gustnado.web.static_cache import FileCache, load_file


def load(path) -> CachedFile:
    return load_file(str(path), str(path), "text/plain", 1000)


def test_a_file_is_loaded_with_what_is_said_of_it(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"wind")
    os.utime(path, (0, 1.75))
    file = load(path)
    assert file.content == b"wind"
    assert file.etag == f'"{hashlib.sha512(b"wind").hexdigest()}"'
    assert file.modified.timestamp() == 1.0
    assert file.last_modified == "Thu, 01 Jan 1970 00:00:01 GMT"


def test_a_file_that_has_grown_is_not_loaded(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"x" * 1001)
    with pytest.raises(OperationError, match="has grown"):
        load(path)
    with pytest.raises(OSError):
        load(tmp_path / "none")


def test_a_file_counts_until_it_changes(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"one")
    cache = FileCache(100)
    assert cache.get("a") is None
    file = load(path)
    cache.put("a", file)
    assert cache.get("a") is file
    path.write_bytes(b"other")
    assert cache.get("a") is None
    assert cache.size == 0
    cache.put("a", load(path))
    path.unlink()
    assert cache.get("a") is None


def test_a_link_that_leads_elsewhere_by_now_is_another_file(tmp_path):
    for name in ("old", "new"):
        (tmp_path / name).write_bytes(name.encode())
    link = tmp_path / "current"
    link.symlink_to(tmp_path / "old")
    cache = FileCache(100)
    cache.put("a", load_file(str(link), str(tmp_path / "old"), "text/plain", 100))
    assert cache.get("a") is not None
    link.unlink()
    link.symlink_to(tmp_path / "new")
    assert cache.get("a") is None


def test_there_is_room_for_so_many_bytes(tmp_path):
    cache = FileCache(10)
    for name in "abc":
        path = tmp_path / name
        path.write_bytes(b"four")
        cache.put(name, load(path))
    assert [cache.get(name) is not None for name in "abc"] == [False, True, True]
    assert cache.size == 8
    cache.put("c", load(tmp_path / "c"))
    assert cache.size == 8


def test_a_file_larger_than_the_cache_is_not_kept(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"x" * 11)
    cache = FileCache(10)
    cache.put("a", load(path))
    assert cache.get("a") is None
    assert cache.size == 0


def test_a_compressed_form_counts_as_long_as_its_original_is_the_same(tmp_path):
    plain, compressed = tmp_path / "a.txt", tmp_path / "a.txt.gz"
    plain.write_bytes(b"plain")
    compressed.write_bytes(b"gz")
    cache = FileCache(100)
    file = load_file(str(compressed), str(compressed), "text/plain", 100, "gzip", str(plain))
    assert (file.coding, file.content) == ("gzip", b"gz")
    cache.put("a", file)
    assert cache.get("a") is file
    plain.write_bytes(b"plainer")
    assert cache.get("a") is None
