"""Telling systemd what happens: a service of ``Type=notify`` (``sd_notify(3)``)."""

from __future__ import annotations

import os
import socket
import time

from gustnado.log import gen_log

__all__ = ["notify"]

_MESSAGES = {"ready": "READY=1", "reloading": "RELOADING=1", "stopping": "STOPPING=1"}


def notify(state: str) -> bool:
    """Tell it, where whoever has started this process wants to know: whether anybody did.

    :param state: ``"ready"``, ``"reloading"`` or ``"stopping"``. After ``reloading`` comes ``ready`` again.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address or not hasattr(socket, "AF_UNIX"):
        return False
    message = _MESSAGES[state]
    if state == "reloading":
        message += f"\nMONOTONIC_USEC={time.monotonic_ns() // 1000}"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.settimeout(1.0)
            sock.connect("\0" + address[1:] if address.startswith("@") else address)
            sock.sendall(message.encode())
    except OSError as error:
        gen_log.warning("cannot tell %s at NOTIFY_SOCKET=%s: %s", state, address, error)
        return False
    return True
