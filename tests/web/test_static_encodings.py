"""Compressed forms of static files. What the handler does with them is in test_static.py."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.web.static_encodings import SUFFIXES, accepted_codings, find_encoded


@pytest.mark.parametrize(
    ("accepted", "codings"),
    [
        ("", ()),
        ("gzip", ("gzip",)),
        ("gzip, br, zstd", ("br", "zstd", "gzip")),
        ("GZIP;q=1.0, br;q=0.999", ("gzip", "br")),
        ("*", ("br", "zstd", "gzip")),
        ("*;q=0.5, gzip", ("gzip", "br", "zstd")),
        ("identity;q=0.5, gzip;q=0.4, br;q=0.5", ("br",)),
        ("gzip;q=2", ()),
        ("gzip;q=0.000", ()),
        ("compress, deflate", ()),
    ],
)
def test_what_a_client_takes(accepted, codings):
    assert accepted_codings(accepted) == codings


@given(st.text(max_size=60) | st.text(alphabet="gzipbr*;q=0.5, ", max_size=40))
def test_only_known_ones_and_each_once(accepted):
    codings = accepted_codings(accepted)
    assert len(set(codings)) == len(codings)
    assert set(codings) <= set(SUFFIXES)


class TestFind:
    def find(self, path, codings, allowed=None):
        allowed = [str(path.parent)] if allowed is None else allowed
        found = find_encoded(str(path), os.stat(path), codings, allowed, path.name)
        return None if found is None else (found[0], os.path.basename(found[1]), found[2].st_size)

    @pytest.fixture
    def path(self, tmp_path):
        path = tmp_path / "app.js"
        for name, content in (("app.js", b"12345"), ("app.js.br", b"1"), ("app.js.gz", b"12")):
            (tmp_path / name).write_bytes(content)
            os.utime(tmp_path / name, (0, 1000))
        return path

    def test_the_first_that_is_there(self, path):
        assert self.find(path, ["gzip", "br"]) == ("gzip", "app.js.gz", 2)
        assert self.find(path, ["zstd", "br"]) == ("br", "app.js.br", 1)
        assert self.find(path, ["zstd"]) is None
        assert self.find(path, []) is None

    def test_none_that_is_older(self, path):
        os.utime(path, (0, 1001))
        assert self.find(path, ["gzip", "br"]) is None

    def test_t36_148_none_outside_and_no_directory(self, path, tmp_path):
        assert self.find(path, ["gzip"], [str(tmp_path / "other")]) is None
        (tmp_path / "app.js.zst").mkdir()
        assert self.find(path, ["zstd"]) is None
