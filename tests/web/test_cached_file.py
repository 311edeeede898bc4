from __future__ import annotations

import os

import pytest

from gustnado.web import Application, StaticFileHandler
from gustnado.web.cached_file import CachedFile, UsualWays, cache_key
from gustnado.web.static_cache import load_file


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"wind")
    StaticFileHandler.reset()
    return path


def load(path) -> CachedFile:
    return load_file(str(path), str(path), "text/plain", 1000)


def test_what_each_response_with_it_says(path):
    os.utime(path, (0, 1.75))
    file = load(path)
    assert file.fields == {
        "Accept-Ranges": "bytes",
        "Etag": file.etag,
        "Last-Modified": "Thu, 01 Jan 1970 00:00:01 GMT",
        "Content-Type": "text/plain",
    }


def test_it_is_current_until_the_file_is_another(path, tmp_path):
    file = load(path)
    assert file.is_current()
    other = tmp_path / "b.txt"
    other.write_bytes(b"wind")
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.rename(path)  # the same content, size and time, but another file
    assert not file.is_current()
    assert load(path).is_current()
    path.unlink()
    assert not file.is_current()


def test_ways_hold_until_a_subclass_or_a_patch_changes_them(monkeypatch):
    class Plain(StaticFileHandler):
        def prepare(self):
            pass

    class Own(StaticFileHandler):
        def set_extra_headers(self, path):
            pass

    ways = UsualWays(StaticFileHandler)
    assert [ways.hold(cls) for cls in (StaticFileHandler, Plain, Own)] == [True, True, False]
    monkeypatch.setattr(StaticFileHandler, "finish", lambda self, chunk=None: None)
    assert [ways.hold(cls) for cls in (StaticFileHandler, Plain, Own)] == [False, False, False]


def test_what_is_sent_from_memory_is_what_was_sent_first(path, fetch):
    """The head is put together in another way: field by field it must say the same."""
    app = Application([(r"/f/(.*)", StaticFileHandler, {"path": str(path.parent)})])
    for headers in ({}, {"If-None-Match": '"x"'}, {"Range": "bytes=1-2"}, {"If-Modified-Since": "soon"}):
        StaticFileHandler.reset()
        first, second = (fetch(app, "/f/a.txt", headers=headers) for _ in range(2))
        assert first.code == second.code
        assert dict(first.headers.get_all()) == dict(second.headers.get_all())
        assert first.body == second.body
    StaticFileHandler.reset()
    responses = [fetch(app, "/f/a.txt", method=method) for method in ("HEAD", "HEAD", "GET", "HEAD")]
    assert [response.body for response in responses] == [b"", b"", b"wind", b""]
    assert len({response.headers["Content-Length"] for response in responses}) == 1


def test_all_that_decides_which_file_it_is_tells_keys_apart(fetch, path):
    keys = []

    class Told(StaticFileHandler):
        def on_finish(self):
            keys.append(cache_key(self))

    linked = {"allowed_symlink_directory": [str(path.parent)]}
    options = [{}, {"default_filename": "a"}, linked, {"precompressed": True}]
    for extra in options:
        app = Application([(r"/f/(.*)", Told, {"path": str(path.parent), **extra})])
        fetch(app, "/f/a.txt")
        fetch(app, "/f/a.txt")
        fetch(app, "/f/a.txt", headers={"Accept-Encoding": "gzip"})
    gzipped = [key for key in keys if ("gzip",) in key]
    assert len(set(keys)) == len(options)  # who takes no coding gets the plain file, whatever forms there are
    assert len(gzipped) == 1
