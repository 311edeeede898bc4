from __future__ import annotations

import datetime
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from gustnado.http.messages import HTTPServerRequest
from gustnado.web import Application, HTTPError
from gustnado.web.static_content import StaticContent

DATA = bytes(range(256)) * 1024  # 256 KiB


class Content(StaticContent):
    """One whose caches are its own."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "data.bin"
    path.write_bytes(DATA)
    Content.reset()
    return path


def handler_for(path: Path, cls: type[StaticContent] = Content) -> Any:
    handler = cls(Application(), HTTPServerRequest("GET", "/data.bin"))
    handler.path, handler.root, handler.absolute_path = path.name, str(path.parent), str(path)
    return handler


class TestContent:
    @pytest.mark.parametrize(
        ("start", "end"),
        [(None, None), (0, 0), (5, None), (None, 5), (65536, 65537), (10, 200_000), (0, 10**9)],
    )
    def test_comes_in_pieces(self, file, start, end):
        pieces = list(StaticContent.get_content(str(file), start, end))
        assert b"".join(pieces) == DATA[start:end]
        assert all(0 < len(piece) <= 65536 for piece in pieces)

    def test_of_a_directory_is_403(self, tmp_path):
        with pytest.raises(HTTPError) as caught:
            list(StaticContent.get_content(str(tmp_path)))
        assert caught.value.status_code == 403

    def test_what_is_known_of_it(self, file):
        handler = handler_for(file)
        modified = datetime.datetime.fromtimestamp(int(file.stat().st_mtime), datetime.UTC)
        assert handler.get_content_size() == len(DATA)
        assert handler.get_modified_time() == modified
        assert handler.get_content_type() == "application/octet-stream"
        assert handler.compute_etag() == f'"{hashlib.sha512(DATA).hexdigest()}"'

    def test_has_no_etag_before_it_is_known(self):
        assert Content(Application(), HTTPServerRequest("GET", "/")).compute_etag() is None


class TestVersions:
    def test_change_with_the_content(self, file):
        settings = {"static_path": str(file.parent)}
        first = Content.get_version(settings, file.name)
        assert first == hashlib.sha512(DATA).hexdigest()
        file.write_bytes(b"other")
        assert Content.get_version(settings, file.name) == hashlib.sha512(b"other").hexdigest()

    def test_are_part_of_urls(self, file):
        settings: dict[str, Any] = {"static_path": str(file.parent)}
        version = hashlib.sha512(DATA).hexdigest()
        assert Content.make_static_url(settings, "data.bin") == f"/static/data.bin?v={version}"
        assert Content.make_static_url(settings, "data.bin", include_version=False) == "/static/data.bin"
        settings["static_url_prefix"] = "/files/"
        assert Content.make_static_url(settings, "data.bin", False) == "/files/data.bin"

    def test_of_what_is_too_large_are_none(self, file, expect_log):
        class Small(Content):
            MAX_VERSION_CONTENT_SIZE = len(DATA) - 1

        with expect_log("gustnado.general", "Could not open static file .*MAX_VERSION_CONTENT_SIZE"):
            assert Small.get_version({"static_path": str(file.parent)}, file.name) is None
        assert handler_for(file, Small).compute_etag() is None

    def test_of_other_content_are_computed_from_it(self, file):
        class Virtual(Content):
            @classmethod
            def get_content(cls, abspath, start=None, end=None):
                return b"virtual"

        class Pieces(Content):
            @classmethod
            def get_content(cls, abspath, start=None, end=None):
                return [b"vir", b"tual"]

        for cls in (Virtual, Pieces):
            assert not cls._serves_files
            assert cls.get_content_version("/nowhere") == hashlib.sha512(b"virtual").hexdigest()


class TestPaths:
    def test_lead_below_the_root(self):
        assert Content.get_absolute_path("/srv/www", "a/b") == "/srv/www/a/b"

    @pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../www-secret/x"])
    def test_and_nowhere_else(self, path):
        with pytest.raises(HTTPError) as caught:
            Content.get_absolute_path("/srv/www", path)
        assert caught.value.status_code == 403

    def test_are_those_of_the_url(self):
        handler = Content(Application(), HTTPServerRequest("GET", "/"))
        assert handler.parse_url_path("a/b") == os.path.join("a", "b")

    def test_must_name_a_file(self, file):
        handler = handler_for(file)
        assert handler.validate_absolute_path(str(file.parent), str(file)) == str(file)
        with pytest.raises(HTTPError) as caught:
            handler.validate_absolute_path(str(file.parent), str(file.parent / "missing"))
        assert caught.value.status_code == 404
