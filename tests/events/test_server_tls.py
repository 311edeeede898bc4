"""TLS of a server: names, client certificates, and certificates that are replaced while it runs."""

from __future__ import annotations

import asyncio
import importlib.util
import pathlib
import shutil
import ssl
from typing import Any

import pytest

from gustnado.events.server_tls import ServerTLS
from gustnado.events.sockets import bind_sockets
from gustnado.events.tcp_server import TCPServer
from gustnado.testing.certificate import certificate_files

spec = importlib.util.find_spec("tornado")
assert spec is not None and spec.origin is not None
TORNADO = pathlib.Path(spec.origin).parent / "test"
EXAMPLE = (str(TORNADO / "test.crt"), str(TORNADO / "test.key"))  # for foo.example.com
LOCALHOST = certificate_files()


def der(certfile: str) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pathlib.Path(certfile).read_text(encoding="ascii"))


class Teller(TCPServer):
    """Tells each client what it knows of it."""

    async def handle_stream(self, stream: Any, address: Any) -> None:
        try:
            await stream.wait_for_handshake()
        except OSError:
            return  # and the stream has logged why
        has_certificate = bool(stream.socket.getpeercert(binary_form=True))
        await stream.write(f"{stream.socket.selected_alpn_protocol()} {has_certificate}\n")
        async for line in _lines(stream):
            await stream.write(line)


async def _lines(stream: Any):
    while True:
        yield await stream.read_until(b"\n")


def trusting(*alpn: str, certificate: tuple[str, str] | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    for authority in (EXAMPLE[0], LOCALHOST[0]):
        context.load_verify_locations(authority)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if certificate is not None:
        context.load_cert_chain(*certificate)
    return context


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
        self.certificate = tls.getpeercert(binary_form=True)

    async def close(self) -> None:
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except OSError:
            return  # a server that refuses our certificate says so after the handshake


async def connect(port: int, context: ssl.SSLContext, name: str | None = "x.test") -> Client:
    return Client(*await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name))


async def certificate_for(port: int, name: str | None) -> bytes | None:
    client = await connect(port, trusting(), name)
    await client.reader.readline()
    await client.close()
    return client.certificate


def listening(server: TCPServer) -> int:
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    return int(sockets[0].getsockname()[1])


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest):
    """On both loops, as they have different TLS transports."""
    factory = asyncio.new_event_loop
    if request.param == "uvloop":
        factory = pytest.importorskip("uvloop").new_event_loop

    def in_new_loop(coroutine: Any) -> Any:
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(asyncio.wait_for(coroutine, 100))

    return in_new_loop


@pytest.mark.parametrize(
    ("name", "certfile"),
    [
        ("x.test", LOCALHOST[0]),
        ("foo.example.com", EXAMPLE[0]),
        ("FOO.example.com", EXAMPLE[0]),
        ("a.wild.test", EXAMPLE[0]),
        ("a.b.wild.test", LOCALHOST[0]),
        ("wild.test", LOCALHOST[0]),
        ("127.0.0.1", LOCALHOST[0]),
    ],
)
def test_a_client_gets_the_certificate_of_the_name_that_it_asks_for(run, name: str, certfile: str) -> None:
    async def main() -> None:
        tls = ServerTLS(*LOCALHOST, names={"Foo.example.com": EXAMPLE, "*.wild.test": EXAMPLE})
        server = Teller(ssl_options=tls.context)
        port = listening(server)
        assert await certificate_for(port, name) == der(certfile)
        server.stop()

    run(main())


def test_certificates_are_replaced_without_dropping_a_connection(run, tmp_path) -> None:
    files = str(tmp_path / "a.crt"), str(tmp_path / "a.key")

    def install(pair: tuple[str, str]) -> None:
        for source, target in zip(pair, files, strict=True):
            shutil.copy(source, target)

    async def main() -> None:
        install(LOCALHOST)
        tls = ServerTLS(*files, names={"named.test": files})
        server = Teller(ssl_options=tls.context)
        port = listening(server)
        old = await connect(port, trusting())
        await old.reader.readline()
        install(EXAMPLE)
        assert await certificate_for(port, "x.test") == der(LOCALHOST[0])
        tls.reload()
        for name in ("x.test", "named.test"):
            assert await certificate_for(port, name) == der(EXAMPLE[0])
        old.writer.write(b"still here\n")
        assert await old.reader.readline() == b"still here\n"
        pathlib.Path(files[0]).write_text("nonsense", encoding="ascii")
        with pytest.raises(ssl.SSLError, match=r"a\.crt"):
            tls.reload()
        assert await certificate_for(port, "x.test") == der(EXAMPLE[0])
        await old.close()
        server.stop()

    run(main())


@pytest.mark.parametrize(("optional", "has"), [(True, False), (True, True), (False, True)])
def test_client_certificates(run, optional: bool, has: bool) -> None:
    async def main() -> None:
        server = Teller(ssl_options=ServerTLS(*LOCALHOST, client_ca=EXAMPLE[0], client_optional=optional).context)
        port = listening(server)
        client = await connect(port, trusting(certificate=EXAMPLE if has else None))
        assert await client.reader.readline() == f"None {has}\n".encode()
        await client.close()
        server.stop()

    run(main())


def test_a_client_without_one_is_refused(run, expect_log) -> None:
    async def main() -> None:
        server = Teller(ssl_options=ServerTLS(*LOCALHOST, client_ca=EXAMPLE[0]).context)
        port = listening(server)
        with expect_log("gustnado.general", "SSL Error"):
            client = await connect(port, trusting())
            with pytest.raises(OSError, match=r"certificate required|reset|closed"):
                if await client.reader.readline() == b"":
                    raise ConnectionError("closed")
            await client.close()
        server.stop()

    run(main())


@pytest.mark.parametrize(
    ("ours", "theirs", "chosen"),
    [
        (("http/1.1",), ("h2", "http/1.1"), "http/1.1"),
        (("h2", "http/1.1"), ("http/1.1", "h2"), "h2"),
        ((), ("h2",), None),
        (("http/1.1",), (), None),
    ],
)
def test_protocols_are_negotiated(run, ours: tuple, theirs: tuple, chosen: str | None) -> None:
    async def main() -> None:
        server = Teller(ssl_options=ServerTLS(*LOCALHOST, alpn=ours).context)
        port = listening(server)
        client = await connect(port, trusting(*theirs))
        assert await client.reader.readline() == f"{chosen} False\n".encode()
        await client.close()
        server.stop()

    run(main())


@pytest.mark.parametrize("name", ["", "*", "*.", "a.*.test", "*.*.test", "a..test", "x" * 64 + ".test"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(ValueError, match="is not a host name"):
        ServerTLS(*LOCALHOST, names={name: LOCALHOST})


def test_a_name_is_compared_as_it_is_sent() -> None:
    tls = ServerTLS(*LOCALHOST, names={"b\u00fccher.test": EXAMPLE})
    assert tls._context_for("xn--bcher-kva.test") is not tls._default


def test_bad_files_are_named() -> None:
    with pytest.raises(FileNotFoundError, match="does not exist"):
        ServerTLS("/no/such/file")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        ServerTLS(*LOCALHOST, names={"a.test": ("/no/such/file", None)})
    with pytest.raises(ValueError, match="client_ca, which is not given"):
        ServerTLS(*LOCALHOST, client_optional=True)
