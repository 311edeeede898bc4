"""Making connections: TLS, proxies, unix sockets, and all that can go wrong before a request is sent."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import struct

import pytest

from gustnado.errors import UsageError
from gustnado.events.resolver import Resolver
from gustnado.http.client import errors

ANY_CERT = {"validate_cert": False}


def test_tls(run, serve, new_client, answers, ca_file):
    async def main():
        async with serve(answers.ok(), tls=True) as server, new_client() as client:
            url = server.url.replace("127.0.0.1", "localhost")
            for _ in range(2):
                assert (await client.fetch(url, ca_certs=ca_file)).body == b"hello"
            assert server.connections == 1

    run(main())


def test_certificates_are_checked(run, serve, new_client, answers, expect_log):
    async def main():
        async with serve(answers.ok(), tls=True) as server, new_client() as client:
            with expect_log("gustnado.general", "SSL Error"):
                with pytest.raises(ssl.SSLCertVerificationError):
                    await client.fetch(server.url)
            assert (await client.fetch(server.url, validate_cert=False)).body == b"hello"
            with expect_log("gustnado.general", "SSL Error"):
                with pytest.raises(ssl.SSLCertVerificationError):  # the exception was for that request alone
                    await client.fetch(server.url)

    run(main())


def test_names_are_checked(run, serve, new_client, answers, ca_file, expect_log):
    async def main():
        async with serve(answers.ok(), tls=True) as server:
            async with new_client(hostname_mapping={"other.example": "127.0.0.1"}) as client:
                url = server.url.replace("127.0.0.1", "other.example")
                with expect_log("gustnado.general", "SSL Error"):
                    with pytest.raises(ssl.SSLCertVerificationError, match=r"(?i)mismatch"):
                        await client.fetch(url, ca_certs=ca_file)

    run(main())


def test_options_of_tls_keep_connections_apart(run, serve, new_client, answers, ca_file):
    async def main():
        context = ssl.create_default_context(cafile=ca_file)
        async with serve(answers.ok(), tls=True) as server, new_client() as client:
            for options in (
                {"ca_certs": ca_file}, {"validate_cert": False}, {"ssl_options": {"cert_reqs": ssl.CERT_NONE}},
                {"ssl_options": context},
                {"validate_cert": False, "client_cert": ca_file, "client_key": ca_file[:-3] + "key"},
            ) * 2:  # fmt: skip
                await client.fetch(server.url, **options)
            assert server.connections == 5

    run(main())


def test_no_step_down_from_tls(run, serve, new_client, answers):
    async def main():
        async with serve(answers.ok()) as plain, new_client(defaults=ANY_CERT) as client:
            moved = answers.ok(b"", f"Location: {plain.url}".encode(), status=b"302 Found")
            async with serve(moved, tls=True) as server:
                with pytest.raises(errors.UnsafeRedirectError, match="gives up TLS"):
                    await client.fetch(server.url)
                assert plain.requests == []
                assert (await client.fetch(server.url, allow_downgrade=True)).body == b"hello"

    run(main())


@pytest.mark.parametrize("options", [{"connect_timeout": 0.1}, {"tls_timeout": 0.1}])
def test_a_handshake_without_end(run, serve, new_client, options):
    async def main():
        async def silent(reader, writer):
            await reader.read()
            writer.close()
            closed.set()

        closed = asyncio.Event()
        listening = await asyncio.start_server(silent, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        async with new_client() as client:
            with pytest.raises(errors.TLSTimeoutError, match=f"Timeout during TLS handshake with 127.0.0.1:{port}"):
                await client.fetch(f"https://127.0.0.1:{port}/", **options)
            await closed.wait()
            assert client.pool.active == 0
        listening.close()

    run(main())


def test_a_name_that_takes_too_long(run, new_client):
    class Slow(Resolver):
        async def resolve(self, host, port, family=socket.AF_UNSPEC):
            await asyncio.Event().wait()

    async def main():
        async with new_client(resolver=Slow()) as client:
            with pytest.raises(errors.ConnectTimeoutError, match=r"Timeout while resolving a.example"):
                await client.fetch("http://a.example/", connect_timeout=0.05)
            with pytest.raises(errors.HTTPTimeoutError, match="Timeout"):
                await client.fetch("http://a.example/", request_timeout=0.05)
            assert client.pool.active == 0

    run(main())


def test_nobody_listens(run, new_client):
    async def main():
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            async with new_client() as client:
                with pytest.raises(ConnectionRefusedError) as caught:
                    await client.fetch(f"http://127.0.0.1:{bound.getsockname()[1]}/")
                assert caught.value.errno == errno.ECONNREFUSED
                assert client.pool.active == 0

    run(main())


def test_a_name_that_nobody_knows(run, new_client):
    class Ignorant(Resolver):
        async def resolve(self, host, port, family=socket.AF_UNSPEC):
            raise socket.gaierror(socket.EAI_NONAME, "unknown")

    async def main():
        async with new_client(resolver=Ignorant()) as client:
            with pytest.raises(socket.gaierror):
                await client.fetch("http://a.example/")

    run(main())


def test_a_resolver_sees_every_address_before_it_is_connected_to(run, serve, new_client, answers):
    """Redirects included: so it can forbid some."""

    class Guard(Resolver):
        async def resolve(self, host, port, family=socket.AF_UNSPEC):
            seen.append(host)
            if host.startswith("169.254."):
                raise PermissionError(host)
            return [(socket.AF_INET, (host, port))]

    async def main():
        moved = answers.ok(b"", b"Location: http://169.254.169.254/meta", status=b"302 Found")
        async with serve(moved) as server, new_client(resolver=Guard()) as client:
            with pytest.raises(PermissionError):
                await client.fetch(server.url)
            assert seen == ["127.0.0.1", "169.254.169.254"]

    seen: list[str] = []
    run(main())


def test_where_to_connect_from(run, serve, new_client, answers):
    async def main():
        async def tell(server, reader, writer):
            writer.write(answers.ok(writer.get_extra_info("peername")[0].encode()))

        async with serve(tell) as server, new_client() as client:
            assert (await client.fetch(server.url, network_interface="127.0.0.1")).body == b"127.0.0.1"
            with pytest.raises(errors.RequestError, match=r"network_interface must be .* not 'eth0'"):
                await client.fetch(server.url, network_interface="eth0")

    run(main())


def test_ipv4_only(run, new_client):
    async def main():
        async with new_client() as client:
            with pytest.raises(OSError):
                await client.fetch("http://[::1]:1/", allow_ipv6=False)

    run(main())


def test_unix_sockets(run, serve, new_client, answers, tmp_path):
    async def main():
        path = str(tmp_path / "socket")
        async with serve(answers.ok(), path=path) as server, new_client() as client:
            for url in ("http://localhost/a", "http://localhost/b"):
                assert (await client.fetch(url, unix_socket=path)).body == b"hello"
            assert server.connections == 1
            assert server.header(0, "Host") == "localhost"
            with pytest.raises(FileNotFoundError):
                await client.fetch("http://localhost/", unix_socket=path + "x")

    run(main())


def test_tls_over_a_unix_socket(run, serve, new_client, answers, tmp_path, ca_file):
    async def main():
        path = str(tmp_path / "socket")
        async with serve(answers.ok(), path=path, tls=True), new_client() as client:
            response = await client.fetch("https://localhost/", unix_socket=path, ca_certs=ca_file)
            assert response.body == b"hello"

    run(main())


# -- proxies ------------------------------------------------------------------------------------------------


def test_a_forwarding_proxy(run, serve, new_client, answers):
    async def main():
        async with serve(answers.ok()) as proxy, new_client() as client:
            options = {"proxy_host": "127.0.0.1", "proxy_port": proxy.port}
            for url in ("http://a.example/x?y", "http://b.example:81/"):
                assert (await client.fetch(url, proxy_username="u", proxy_password="p", **options)).body == b"hello"
            assert proxy.heads() == ["GET http://a.example/x?y HTTP/1.1", "GET http://b.example:81/ HTTP/1.1"]
            assert proxy.header(1, "Host") == "b.example:81"
            assert proxy.header(0, "Proxy-Authorization") == "Basic dTpw"
            assert proxy.connections == 1
            await client.fetch("http://a.example/", **options)
            assert proxy.header(2, "Proxy-Authorization") is None
            assert proxy.connections == 2

    run(main())


async def pump(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


def tunnel_to(port):
    """What a proxy does after a CONNECT."""

    async def connect(server, reader, writer):
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\nX-Proxy: 1\r\n\r\n")
        await asyncio.gather(pump(reader, to_writer), pump(to_reader, writer))

    return connect


def test_a_tunnel(run, serve, new_client, answers, ca_file):
    async def main():
        async with serve(answers.ok(), tls=True) as server, serve(tunnel_to(server.port)) as proxy:
            async with new_client() as client:
                for _ in range(2):
                    options = {"ca_certs": ca_file, "proxy": f"http://u:p@127.0.0.1:{proxy.port}"}
                    assert (await client.fetch("https://localhost:444/x", **options)).body == b"hello"
                assert proxy.heads() == ["CONNECT localhost:444 HTTP/1.1"]
                assert proxy.header(0, "Proxy-Authorization") == "Basic dTpw"
                assert proxy.header(0, "User-Agent") is None
                assert server.heads() == ["GET /x HTTP/1.1"] * 2
                assert server.header(0, "Proxy-Authorization") is None

    run(main())


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"HTTP/1.1 407 Who\r\nContent-Length: 6\r\n\r\nsecret", "refused to connect to a.example:443: 407 Who"),
        (b"HTTP/1.1 502 Bad\r\n\r\n", "502 Bad"),
        (b"garbage\r\n\r\n", "answered with no HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20000 + b"\r\n", "closed the connection instead"),
        ("close", "closed the connection instead"),
        ("reset", "closed the connection instead"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 20, "Too many 1xx"),
    ],
)
def test_a_proxy_that_says_no(run, serve, new_client, answer, message):
    async def main():
        async with serve(answer) as proxy, new_client() as client:
            with pytest.raises(errors.ProxyError, match=message) as caught:
                await client.fetch("https://a.example/", proxy=f"http://u:p@127.0.0.1:{proxy.port}")
            assert "u:p" not in str(caught.value)
            await proxy.until(lambda: not proxy.open)
            assert client.pool.active == 0

    run(main())


def test_a_proxy_that_says_nothing(run, serve, new_client):
    async def main():
        async def hang(server, reader, writer):
            await reader.read()

        async with serve(hang) as proxy, new_client() as client:
            with pytest.raises(errors.ConnectTimeoutError, match=r"Timeout while waiting for http://127.0.0.1"):
                await client.fetch("https://a.example/", proxy=f"127.0.0.1:{proxy.port}", connect_timeout=0.1)
            await proxy.until(lambda: not proxy.open)

    run(main())


def test_a_proxy_that_speaks_tls(run, serve, new_client, answers, ca_file):
    async def main():
        async with serve(answers.ok(), tls=True) as proxy, new_client() as client:
            options = {"ca_certs": ca_file, "proxy": f"https://localhost:{proxy.port}"}
            assert (await client.fetch("http://a.example/", **options)).body == b"hello"
            assert proxy.heads() == ["GET http://a.example/ HTTP/1.1"]
            with pytest.raises(errors.ProxyError, match="not supported"):
                await client.fetch("https://a.example/", **options)

    run(main())


def test_the_environment(run, serve, new_client, answers, monkeypatch):
    async def main():
        async with serve(answers.ok(b"proxy")) as proxy, serve(answers.ok(b"server")) as server:
            for name in ("http_proxy", "no_proxy"):
                monkeypatch.delenv(name, raising=False)
                monkeypatch.delenv(name.upper(), raising=False)
            monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
            async with new_client() as client:
                assert (await client.fetch(server.url)).body == b"server"
            async with new_client(trust_env=True) as client:
                assert (await client.fetch(server.url)).body == b"proxy"
                monkeypatch.setenv("no_proxy", "127.0.0.0/8")
                assert (await client.fetch(server.url)).body == b"server"
                monkeypatch.setenv("no_proxy", "")
                monkeypatch.setenv("http_proxy", "wind://x")
                with pytest.raises(errors.RequestError, match="http_proxy: scheme"):
                    await client.fetch(server.url)

    run(main())


class SocksServer:
    """A SOCKS 5 server (RFC 1928), with username and password (RFC 1929) where it is given some."""

    def __init__(self, credentials=None, refuse=0):
        self.credentials, self.refuse = credentials, refuse
        self.targets = []

    async def serve(self, reader, writer):
        try:
            await self._serve(reader, writer)
        except (asyncio.IncompleteReadError, OSError):
            pass  # the client has gone
        finally:
            writer.close()

    async def _serve(self, reader, writer):
        version, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        wanted = 0 if self.credentials is None else 2
        if wanted not in methods:
            writer.write(b"\x05\xff")
            return
        writer.write(bytes([version, wanted]))
        if wanted:
            _, size = await reader.readexactly(2)
            username = await reader.readexactly(size)
            password = await reader.readexactly((await reader.readexactly(1))[0])
            fits = (username, password) == self.credentials
            writer.write(b"\x01\x00" if fits else b"\x01\x01")
            if not fits:
                return
        _, _, _, kind = await reader.readexactly(4)
        if kind == 3:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        else:
            family, size = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
            host = socket.inet_ntop(family, await reader.readexactly(size))
        (port,) = struct.unpack("!H", await reader.readexactly(2))
        self.targets.append((kind, host, port))
        writer.write(bytes([5, self.refuse, 0, 3, 1]) + b"x\0\0")
        if self.refuse:
            return
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, to_writer), pump(to_reader, writer))


@pytest.mark.parametrize(("scheme", "target"), [("socks5", (1, "127.0.0.1")), ("socks5h", (3, "localhost"))])
@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("credentials", [None, (b"me", b"secret")])
def test_socks(run, serve, new_client, answers, ca_file, scheme, target, tls, credentials):
    class Loopback(Resolver):
        async def resolve(self, host, port, family=socket.AF_UNSPEC):
            return [(socket.AF_INET, ("127.0.0.1", port))]

    async def main():
        socks = SocksServer(credentials)
        listening = await asyncio.start_server(socks.serve, "127.0.0.1", 0)
        userinfo = "" if credentials is None else "me:secret@"
        async with serve(answers.ok(), tls=tls) as server, new_client(resolver=Loopback()) as client:
            proxy = f"{scheme}://{userinfo}127.0.0.1:{listening.sockets[0].getsockname()[1]}"
            for _ in range(2):
                url = server.url.replace("127.0.0.1", "localhost")
                assert (await client.fetch(url, proxy=proxy, ca_certs=ca_file)).body == b"hello"
            assert socks.targets == [(*target, server.port)]
            assert server.heads() == ["GET / HTTP/1.1"] * 2
        listening.close()

    run(main())


@pytest.mark.parametrize(
    ("socks", "userinfo", "message"),
    [
        (SocksServer(refuse=5), "", "connection refused"),
        (SocksServer((b"a", b"b")), "", "wants to know who asks"),
        (SocksServer((b"a", b"b")), "a:wrong@", "does not accept"),
    ],
)
def test_socks_that_says_no(run, new_client, socks, userinfo, message):
    async def main():
        listening = await asyncio.start_server(socks.serve, "127.0.0.1", 0)
        async with new_client() as client:
            with pytest.raises(errors.ProxyError, match=message) as caught:
                proxy = f"socks5h://{userinfo}127.0.0.1:{listening.sockets[0].getsockname()[1]}"
                await client.fetch("http://a.example/", proxy=proxy)
            assert "wrong" not in str(caught.value)
        listening.close()

    run(main())


def test_a_web_server_that_is_taken_for_socks(run, serve, new_client):
    async def main():
        async def babble(reader, writer):
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await reader.read()
            writer.close()

        listening = await asyncio.start_server(babble, "127.0.0.1", 0)
        async with new_client() as client:
            with pytest.raises(errors.ProxyError, match="does not speak SOCKS 5"):
                port = listening.sockets[0].getsockname()[1]
                await client.fetch("http://a.example/", proxy=f"socks5h://127.0.0.1:{port}")
        listening.close()

    run(main())


def test_a_file_that_is_not_there(run, serve, new_client, answers):
    async def main():
        async with serve(answers.ok(), tls=True) as server, new_client() as client:
            with pytest.raises(FileNotFoundError, match="ca_certs"):
                await client.fetch(server.url, ca_certs="/nowhere.pem")
            with pytest.raises((UsageError, ValueError)):
                await client.fetch(server.url, ssl_options={"wind": 1})

    run(main())
