"""Passwords, kept as scrypt hashes (RFC 7914).

A hash takes a quarter of a second and 16 MiB on purpose. The coroutines work in a small pool of threads
of their own: neither the event loop nor the database waits, and a crowd that signs in queues up
without taking all memory.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from concurrent.futures import ThreadPoolExecutor

from gustnado.events import IOLoop

__all__ = ["MAX_PASSWORD", "hash_password", "verify_password"]

MAX_PASSWORD = 200
"""Characters; longer ones are refused before any work is done."""
COST, BLOCK_SIZE, PARALLEL = 2**14, 8, 5
"""scrypt's N, r and p, as the OWASP cheat sheet recommends for 16 MiB."""
MAX_MEMORY = 64 * 1024 * 1024
SALT_BYTES = 16
WORKERS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="passwords")


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=COST, r=BLOCK_SIZE, p=PARALLEL, maxmem=MAX_MEMORY)


def hash_password(password: str) -> str:
    """A hash to be stored, with a salt of its own. Takes its time: not for the event loop's thread."""
    salt = secrets.token_bytes(SALT_BYTES)
    parts = (salt, _scrypt(password, salt))
    return "scrypt$" + "$".join(base64.b64encode(part).decode() for part in parts)


def _matches(password: str, stored: str) -> bool:
    _, salt, expected = stored.split("$")
    return hmac.compare_digest(_scrypt(password, base64.b64decode(salt)), base64.b64decode(expected))


NOBODY = "scrypt$" + base64.b64encode(bytes(SALT_BYTES)).decode() + "$" + base64.b64encode(bytes(64)).decode()
"""The stored hash of a user who does not exist: no password is known to have it."""


async def verify_password(password: str, stored: str | None) -> bool:
    """Whether ``password`` is the one that was hashed to ``stored``.

    For an unknown user pass None: the answer, False, then takes as long as for a known one, so that
    nobody learns from the time who has an account.
    """
    if len(password) > MAX_PASSWORD:
        return False
    return await IOLoop.current().run_in_executor(WORKERS, _matches, password, stored or NOBODY)
