"""A certificate for servers that only tests talk to.

It is for ``localhost``, ``127.0.0.1`` and ``::1``, is signed by itself, and ends in a hundred years. Its key is public,
so whoever trusts it outside of tests trusts everybody.

>>> certfile, keyfile = certificate_files()
>>> import ssl
>>> ssl.create_default_context(cafile=certfile).cert_store_stats()["x509"] > 0  # what a client needs
True
>>> ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certfile, keyfile)  # what a server needs
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["certificate_files"]

HERE = Path(__file__).parent


def certificate_files() -> tuple[str, str]:
    """The paths of the certificate and of its key, in PEM format."""
    return str(HERE / "localhost.crt"), str(HERE / "localhost.key")
