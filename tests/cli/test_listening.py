from __future__ import annotations

import os
import socket
import stat
import sys
from pathlib import Path

import pytest

from gustnado.cli.config import RunConfig
from gustnado.cli.listening import check_certificate, describe, make_sockets, ssl_options
from gustnado.errors import UsageError
from gustnado.testing.certificate import certificate_files


def config(**values) -> RunConfig:
    return RunConfig(app="shop:app", **values)


@pytest.fixture
def make():
    made: list[socket.socket] = []

    def sockets(**values) -> list[socket.socket]:
        made.extend(make_sockets(config(**values)))
        return made

    yield sockets
    for sock in made:
        sock.close()


def test_a_port(make) -> None:
    (sock,) = make(port=0)
    assert describe(sock, tls=False) == f"http://127.0.0.1:{sock.getsockname()[1]}"
    assert describe(sock, tls=True).startswith("https://")


def test_a_unix_socket_with_its_mode(make, tmp_path) -> None:
    path = str(tmp_path / "web.sock")
    (sock,) = make(port=None, unix=path, unix_mode=0o606)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o606
    assert describe(sock, tls=False) == f"unix:{path}"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has abstract names")
def test_an_abstract_name(make) -> None:
    name = f"@gustnado-test-{os.getpid()}"
    (sock,) = make(port=None, unix=name)
    assert describe(sock, tls=False) == f"unix:{name}"


def test_a_descriptor_and_a_port_together(make) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    inherited, bound = make(fd=(listener.detach(),), port=0)
    assert inherited.getsockname() == address
    assert bound.getsockname() != address


def test_sockets_of_systemd(make, monkeypatch) -> None:
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    monkeypatch.setenv("LISTEN_FDS", "x")
    with pytest.raises(UsageError, match="LISTEN_FDS: 'x' is not a possible number"):
        make(port=0)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"host": "192.0.2.7", "port": 0}, r"cannot listen on 192\.0\.2\.7 port 0: cannot assign"),
        ({"host": "no such host", "port": 0}, "cannot listen on 'no such host' port 0"),
        ({"fd": (99999,), "port": None}, "file descriptor 99999 is no socket"),
        ({"unix": "/no/such/folder/web.sock", "port": None}, "cannot listen on /no/such/folder/web.sock: no such file"),
    ],
)
def test_what_cannot_be_had_is_told_in_one_line(values, message: str) -> None:
    with pytest.raises(UsageError, match=message) as raised:
        make_sockets(config(**values))
    assert "\n" not in str(raised.value)


def test_a_port_in_use_leaves_no_socket_open(tmp_path) -> None:
    path = tmp_path / "web.sock"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(UsageError, match="address already in use"):
            make_sockets(config(unix=str(path), port=taken.getsockname()[1]))
    with socket.socket(socket.AF_UNIX) as client, pytest.raises(ConnectionRefusedError):
        client.connect(str(path))


class TestCertificates:
    def test_good_files_pass(self) -> None:
        certfile, keyfile = certificate_files()
        check_certificate(config(cert=certfile, key=keyfile))
        assert ssl_options(config(cert=certfile, key=keyfile)) == {"certfile": certfile, "keyfile": keyfile}

    def test_both_in_one_file_pass(self, tmp_path) -> None:
        both = tmp_path / "both.pem"
        both.write_text("".join(Path(name).read_text() for name in certificate_files()))
        check_certificate(config(cert=str(both)))

    def test_none_passes(self) -> None:
        check_certificate(config())

    @pytest.mark.parametrize(
        ("cert", "key", "message"),
        [
            ("missing.pem", None, "--cert: .*missing.pem does not exist"),
            ("good.crt", "missing.pem", "--key: .*missing.pem does not exist"),
            ("text", None, "--cert .*text: the file holds no certificate or no key in PEM format"),
            ("good.crt", None, "the file holds no certificate or no key"),
            ("good.crt", "text", "it or .*text holds no certificate or no key"),
            ("good.crt", "other.key", "the key in .*other.key belongs to another certificate"),
            (None, "good.key", "--key is of no use without --cert"),
        ],
    )
    def test_bad_ones_are_told_in_one_line(self, tmp_path, cert, key, message: str) -> None:
        certfile, keyfile = certificate_files()
        (tmp_path / "good.crt").write_text(Path(certfile).read_text())
        (tmp_path / "good.key").write_text(Path(keyfile).read_text())
        (tmp_path / "text").write_text("no certificate")
        (tmp_path / "other.key").write_text(OTHER_KEY)
        paths = {"cert": cert and str(tmp_path / cert), "key": key and str(tmp_path / key)}
        with pytest.raises(UsageError, match=message) as raised:
            check_certificate(config(**paths))
        assert "\n" not in str(raised.value)


OTHER_KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAeqga2ct0uKhIiJI
2W1G9YoaofYIxOQs8KxnVqfQodmhRANCAARyrL95OxhsXf1Q/AhznHFF/XTfbJEk
LJTD4e6hitzEKjt4/g43xBOpG2Q8bvsJbvdgxGDFMzvb0IPrfI7zUxq2
-----END PRIVATE KEY-----
"""
