from __future__ import annotations

import os

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


def test_what_is_no_file_has_none(tmp_path):
    assert file_signature(str(tmp_path / "none")) is None
    assert file_signature("a\0b") is None


def test_the_size_is_in_the_signature(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert size_of(file_signature(str(path))) == 5
