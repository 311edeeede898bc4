from __future__ import annotations

import pytest
from demo.pictures import kind_of


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"\xff\xd8\xff\xe0..JFIF", "image/jpeg"),
        (b"GIF89a....", "image/gif"),
        (b"RIFF\0\n\0\0WEBPVP8 ", "image/webp"),
        (b"", None),
        (b"\x89PNG", None),
        (b" GIF89a", None),
        (b"RIFF....WAVE", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
        (b"<!DOCTYPE html><script>alert(1)</script>", None),
        (b"%PDF-1.7", None),
    ],
)
def test_what_a_file_is_its_bytes_say(data, kind):
    assert kind_of(data) == kind
