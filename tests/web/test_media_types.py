from __future__ import annotations

import pytest

from gustnado.web.media_types import guess_type


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.html", "text/html"),
        ("a.css", "text/css"),
        ("a.tar.gz", "application/gzip"),
        ("a.svgz", "application/gzip"),
        ("a.txt.bz2", "application/octet-stream"),
        ("a.nothing", "application/octet-stream"),
        ("README", "application/octet-stream"),
    ],
)
def test_types_are_by_name(name, media_type):
    assert guess_type(name) == guess_type("/some/where/" + name) == media_type
