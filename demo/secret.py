"""The key that signs cookies: made once, kept in a file that only its owner can read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

__all__ = ["load_secret"]

SECRET_BYTES = 32
"""Of randomness; the signature is an HMAC-SHA256."""


def load_secret(path: Path) -> str:
    """The secret in the file ``path``, which is made if it is not there.

    Whoever can read the file can sign in as anybody; whoever deletes it signs everybody out.

    :raises OSError: if the file cannot be read or made.
    """
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        secret = secrets.token_urlsafe(SECRET_BYTES)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="ascii") as file:
        file.write(secret + "\n")
    return secret
