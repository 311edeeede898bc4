from __future__ import annotations

import os

from gustnado.web.static_versions import VersionCache, file_signature, signature_of, size_of


def test_a_signature_tells_states_of_a_file_apart(tmp_path):
    file = tmp_path / "a"
    file.write_text("one")
    first = file_signature(str(file))
    assert first == file_signature(str(file)) == signature_of(os.stat(file))
    os.utime(file, ns=(0, 0))
    assert file_signature(str(file)) != first
    file.write_text("three")
    assert file_signature(str(file)) != first


def test_what_is_no_file_has_none(tmp_path):
    assert file_signature(str(tmp_path / "none")) is None
    assert file_signature("a\0b") is None


def test_a_version_counts_for_one_state():
    cache = VersionCache()
    assert cache.get("a", None) is None
    cache.put("a", (1, 2, 3, 4, 5), "v1", 10)
    assert cache.get("a", (1, 2, 3, 4, 5)) == ("v1",)
    assert cache.get("a", (1, 2, 3, 4, 6)) is None
    assert len(cache) == 0  # of another state it is of no more use


def test_having_no_version_is_remembered_too():
    cache = VersionCache()
    cache.put("a", None, None, 10)
    assert cache.get("a", None) == (None,)


def test_those_unused_for_longest_go_first():
    cache = VersionCache()
    for name in "abc":
        cache.put(name, None, name, 3)
    assert cache.get("a", None) == ("a",)
    cache.put("d", None, "d", 3)
    assert [cache.get(name, None) for name in "abcd"] == [("a",), None, ("c",), ("d",)]
    cache.put("c", None, "c2", 3)
    assert len(cache) == 3


def test_one_works_on_a_version_at_a_time():
    cache = VersionCache()
    assert cache.claim("a")
    assert not cache.claim("a")
    assert cache.claim("b")
    cache.release("a")
    assert cache.claim("a")
    cache.release("never claimed")


def test_the_size_is_in_the_signature(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert size_of(file_signature(str(path))) == 5
