from __future__ import annotations

import os
import re
import socket
import sys

import pytest

from gustnado.cli.notify import notify

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no unix sockets")


def receive(address: str, monkeypatch, state: str) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.settimeout(10)
        listener.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        assert notify(state)
        return listener.recv(1000)


def test_who_has_started_it_is_told(tmp_path, monkeypatch) -> None:
    assert receive(str(tmp_path / "a"), monkeypatch, "ready") == b"READY=1"
    assert receive(str(tmp_path / "b"), monkeypatch, "stopping") == b"STOPPING=1"


def test_reloading_tells_its_time_as_systemd_wants_it(tmp_path, monkeypatch) -> None:
    told = receive(str(tmp_path / "a"), monkeypatch, "reloading")
    assert re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=\d+", told)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has abstract names")
def test_an_abstract_address(monkeypatch) -> None:
    assert receive(f"@gustnado-notify-{os.getpid()}", monkeypatch, "ready") == b"READY=1"


def test_nobody_wants_to_know(monkeypatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not notify("ready")


def test_an_address_where_nobody_is_costs_a_warning(tmp_path, monkeypatch, expect_log) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "missing"))
    with expect_log("gustnado.general", "cannot tell ready at NOTIFY_SOCKET="):
        assert not notify("ready")
