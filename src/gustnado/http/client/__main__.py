"""``python -m gustnado.http.client``: see :mod:`gustnado.http.client.command`."""

from __future__ import annotations

from gustnado.http.client.command import main

main()
