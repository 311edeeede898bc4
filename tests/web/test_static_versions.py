from __future__ import annotations

from gustnado.web.static_versions import VersionCache


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
