from __future__ import annotations

import stat

import pytest
from demo.secret import load_secret


def test_a_secret_is_made_once_and_kept(tmp_path):
    first = load_secret(tmp_path / "secret")
    assert len(first) >= 43
    assert load_secret(tmp_path / "secret") == first


def test_two_secrets_differ(tmp_path):
    assert load_secret(tmp_path / "a") != load_secret(tmp_path / "b")


def test_only_its_owner_can_read_it(tmp_path):
    load_secret(tmp_path / "secret")
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(OSError, match="missing"):
        load_secret(tmp_path / "missing" / "secret")
