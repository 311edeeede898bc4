from __future__ import annotations

import pytest
from demo import passwords


def test_a_password_matches_its_own_hash_and_no_other(run):
    stored = passwords.hash_password("twister")
    assert run(passwords.verify_password("twister", stored)) is True
    assert run(passwords.verify_password("Twister", stored)) is False
    assert run(passwords.verify_password("", stored)) is False


def test_two_hashes_of_one_password_differ():
    assert passwords.hash_password("twister") != passwords.hash_password("twister")


def test_a_user_who_does_not_exist_takes_the_same_work_and_never_matches(run, monkeypatch):
    worked = []
    real = passwords._scrypt

    def scrypt(password, salt):
        worked.append(password)
        return real(password, salt)

    monkeypatch.setattr(passwords, "_scrypt", scrypt)
    assert run(passwords.verify_password("twister", None)) is False
    assert worked == ["twister"]


def test_a_password_that_is_too_long_is_refused_without_any_work(run, monkeypatch):
    monkeypatch.setattr(passwords, "_scrypt", lambda *args: pytest.fail("hashed"))
    assert run(passwords.verify_password("x" * (passwords.MAX_PASSWORD + 1), None)) is False


def test_the_real_cost_fits_into_the_memory_allowed(monkeypatch):
    monkeypatch.setattr(passwords, "COST", 2**14)
    assert len(passwords._scrypt("twister", bytes(16))) == 64
