"""The HTTP client against what others have written: Node, nginx, Python's server, tinyproxy, microsocks.

Each is started by the tests, on loopback. Where one is not installed its tests are skipped, which they are not in CI
(``.ci/run`` installs them).
"""

from __future__ import annotations

import asyncio
import gzip
import ssl
import subprocess
import sys
import time

import pytest

from gustnado.http.client import simple
from gustnado.http.client.errors import HTTPClientError, ProxyError
from gustnado.http.client.simple import SimpleAsyncHTTPClient
from gustnado.testing.certificate import certificate_files

CERTFILE, KEYFILE = certificate_files()
BIG = bytes(range(256)) * 8192  # 2 MiB

NODE = """
const http = require('http'), https = require('https'), fs = require('fs'), zlib = require('zlib');
let connections = 0;
const wind = 'wind '.repeat(1000);
const pages = {
    '/echo': (request, response, body) => { response.setHeader('X-Method', request.method); response.end(body); },
    '/chunks': (request, response) => {
        for (let i = 0; i < 50; i++) response.write('piece ' + i + '\\n');
        response.end();
    },
    '/gzip': (request, response) => {
        response.setHeader('Content-Encoding', 'gzip');
        response.end(zlib.gzipSync(wind));
    },
    '/br': (request, response) => {
        response.setHeader('Content-Encoding', 'br');
        response.end(zlib.brotliCompressSync(wind));
    },
    '/redirect': (request, response) => { response.writeHead(302, {Location: '/echo'}); response.end('there'); },
    '/empty': (request, response) => { response.writeHead(204); response.end(); },
    '/hints': (request, response) => { response.writeEarlyHints({link: '</a>'}); response.end('hints'); },
    '/destroy': (request, response) => {
        response.writeHead(200, {'Content-Length': 100});
        response.write('x');
        setTimeout(() => request.socket.destroy(), 20);
    },
};
function handle(request, response) {
    const chunks = [];
    request.on('data', chunk => chunks.push(chunk));
    request.on('end', () => {
        response.setHeader('X-Connection', String(request.socket.number));
        const page = pages[request.url];
        if (page) page(request, response, Buffer.concat(chunks));
        else { response.writeHead(404); response.end('nothing here'); }
    });
}
function start(server, event, port) {
    server.on(event, socket => { socket.number = ++connections; });
    server.listen(Number(port), '127.0.0.1');
}
const options = {cert: fs.readFileSync(process.argv[2]), key: fs.readFileSync(process.argv[3])};
start(http.createServer(handle), 'connection', process.argv[4]);
start(https.createServer(options, handle), 'secureConnection', process.argv[5]);
"""

NGINX = """
daemon off; master_process off; worker_processes 1; pid {directory}/pid; error_log {directory}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off; keepalive_requests 5; root {directory}/files; default_type text/plain;
    client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi; client_max_body_size 1m;
    server {{
        listen 127.0.0.1:{plain}; listen 127.0.0.1:{tls} ssl; listen unix:{directory}/socket;
        ssl_certificate {certfile}; ssl_certificate_key {keyfile};
        location / {{ add_header X-Connection $connection; gzip on; gzip_min_length 1; gzip_types text/plain; }}
        location /redirect {{ return 301 /hello.txt; }}
        location /private {{ auth_basic "wind"; auth_basic_user_file {directory}/users; }}
    }}
}}
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory, running, free_ports):
    """``(http URL, https URL)``."""
    file = tmp_path_factory.mktemp("node") / "server.js"
    file.write_text(NODE)
    plain, tls = free_ports(2)
    with running("node", [str(file), CERTFILE, KEYFILE, str(plain), str(tls)], [plain, tls]):
        yield f"http://127.0.0.1:{plain}", f"https://localhost:{tls}"


@pytest.fixture(scope="module")
def nginx(tmp_path_factory, running, free_ports):
    """``(http URL, https URL, path of its unix socket)``."""
    directory = tmp_path_factory.mktemp("nginx")
    directory.chmod(0o755)
    files = directory / "files"
    (files / "private").mkdir(parents=True)
    for parent in files.parents:
        if parent.owner() == files.owner() and parent != parent.parent and "pytest" in parent.name:
            parent.chmod(0o755)  # its worker may run as somebody else
    (files / "hello.txt").write_text("hello from nginx\n" * 100)
    (files / "big.bin").write_bytes(BIG)
    (files / "private/x.txt").write_text("private")
    (directory / "users").write_text("me:{PLAIN}secret\n")
    plain, tls = free_ports(2)
    config = directory / "nginx.conf"
    config.write_text(NGINX.format(directory=directory, plain=plain, tls=tls, certfile=CERTFILE, keyfile=KEYFILE))
    with running("nginx", ["-p", str(directory), "-c", str(config), "-e", str(directory / "error.log")], [plain, tls]):
        yield f"http://127.0.0.1:{plain}", f"https://localhost:{tls}", str(directory / "socket")


@pytest.fixture(scope="module")
def python_server(tmp_path_factory, free_ports, listens):
    """``python -m http.server``: HTTP/1.0, and the end of a body is the end of the connection."""
    directory = tmp_path_factory.mktemp("python")
    (directory / "hello.txt").write_text("hello from python")
    (port,) = free_ports(1)
    arguments = ["-m", "http.server", str(port), "-b", "127.0.0.1", "-d", str(directory)]
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not listens(port):
            assert process.poll() is None
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def with_client(run, use, **arguments):
    """Run ``use(client)``; the client trusts the servers' certificate."""

    async def main():
        defaults = {"ca_certs": CERTFILE, **arguments.pop("defaults", {})}
        client = SimpleAsyncHTTPClient(force_instance=True, defaults=defaults, **arguments)
        try:
            return await use(client)
        finally:
            client.close()

    return run(main())


@pytest.mark.parametrize("scheme", [0, 1], ids=["http", "https"])
def test_node(run, node, scheme):
    base = node[scheme]

    async def use(client):
        connections = set()
        for method, body in (("POST", b"data"), ("PUT", BIG), ("PATCH", b"x"), ("DELETE", None), ("GET", None)):
            response = await client.fetch(f"{base}/echo", method=method, body=body)
            assert (response.body, response.headers["X-Method"]) == (body or b"", method)
            connections.add(response.headers["X-Connection"])
        for path, expected in (
            ("/chunks", b"".join(b"piece %d\n" % n for n in range(50))),
            ("/gzip", b"wind " * 1000),
            ("/br", b"wind " * 1000),
            ("/redirect", b""),
            ("/empty", b""),
        ):
            response = await client.fetch(base + path)
            assert response.body == expected
            connections.add(response.headers["X-Connection"])
        with pytest.raises(HTTPClientError, match="404"):
            await client.fetch(f"{base}/wind")
        assert len(connections) == 1
        # It says "Keep-Alive: timeout=5", so for less than that we keep it.
        left = client.pool.next_deadline() - asyncio.get_running_loop().time()
        assert 3 < left <= 4

    with_client(run, use)


def test_node_gives_hints_first(run, node):
    async def use(client):
        try:
            response = await client.fetch(f"{node[0]}/hints")
        except HTTPClientError:
            pytest.skip("this Node is too old for early hints")
        assert (response.code, response.body) == (200, b"hints")

    with_client(run, use)


def test_node_produced_bodies_and_streams(run, node):
    async def use(client):
        async def produce(write):
            for start in range(0, len(BIG), 100_000):
                await write(BIG[start : start + 100_000])

        options = {"method": "POST", "body_producer": produce, "expect_100_continue": True}
        assert (await client.fetch(f"{node[0]}/echo", **options)).body == BIG
        async with client.stream(f"{node[0]}/echo", method="POST", body=BIG) as response:
            assert b"".join([chunk async for chunk in response]) == BIG

    with_client(run, use)


def test_node_goes_away(run, node):
    async def use(client):
        with pytest.raises(HTTPClientError, match="within the response"):
            await client.fetch(f"{node[0]}/destroy")

    with_client(run, use)


def test_many_to_node(run, node, monkeypatch):
    monkeypatch.setattr(simple, "_LONG_WAIT", 3600.0)  # some wait, and longer where the machine is slow

    async def use(client):
        responses = await asyncio.gather(*[client.fetch(f"{node[1]}/chunks") for _ in range(200)])
        assert len({response.headers["X-Connection"] for response in responses}) <= 20
        assert len({response.body for response in responses}) == 1

    with_client(run, use, max_clients=20)


@pytest.mark.parametrize("scheme", [0, 1], ids=["http", "https"])
def test_nginx(run, nginx, scheme):
    base = nginx[scheme]

    async def use(client):
        connections = []
        for _ in range(12):  # it closes each connection after 5 requests
            response = await client.fetch(f"{base}/hello.txt")
            assert response.body == b"hello from nginx\n" * 100
            assert response.headers["X-Consumed-Content-Encoding"] == "gzip"
            connections.append(response.headers["X-Connection"])
        assert [connections.count(one) for one in dict.fromkeys(connections)] == [5, 5, 2]
        assert (await client.fetch(f"{base}/big.bin")).body == BIG
        assert (await client.fetch(f"{base}/redirect")).effective_url == f"{base}/hello.txt"
        head = await client.fetch(f"{base}/big.bin", method="HEAD", decompress_response=False)
        assert (head.body, head.headers["Content-Length"]) == (b"", str(len(BIG)))
        etag = head.headers["Etag"]
        response = await client.fetch(f"{base}/big.bin", headers={"If-None-Match": etag}, raise_error=False)
        assert (response.code, response.body) == (304, b"")
        part = await client.fetch(f"{base}/big.bin", headers={"Range": "bytes=256-258"}, decompress_response=False)
        assert (part.code, part.body) == (206, b"\0\1\2")
        response = await client.fetch(f"{base}/big.bin", method="POST", body=BIG, raise_error=False)
        assert response.code == 413  # before it has read all
        response = await client.fetch(f"{base}/private/x.txt", auth_username="me", auth_password="secret")
        assert response.body == b"private"
        assert (await client.fetch(f"{base}/private/x.txt", raise_error=False)).code == 401

    with_client(run, use)


def test_nginx_over_a_unix_socket(run, nginx):
    async def use(client):
        response = await client.fetch("http://localhost/hello.txt", unix_socket=nginx[2])
        assert response.body.startswith(b"hello from nginx")

    with_client(run, use)


def test_pythons_server(run, python_server):
    async def use(client):
        for _ in range(3):
            response = await client.fetch(f"{python_server}/hello.txt")
            assert (response.body, client.pool.idle()) == (b"hello from python", [])
        assert (await client.fetch(f"{python_server}/hello.txt", method="HEAD")).body == b""
        with pytest.raises(HTTPClientError, match="501"):
            await client.fetch(f"{python_server}/", method="POST", body=b"x")

    with_client(run, use)


@pytest.mark.parametrize("scheme", [0, 1], ids=["forwarded", "tunnel"])
def test_tinyproxy(run, node, tinyproxy, scheme):
    async def use(client):
        proxy = f"http://me:secret@127.0.0.1:{tinyproxy}"
        for _ in range(2):
            # It closes each connection after a response, without a word. A POST would not be sent again then.
            response = await client.fetch(f"{node[scheme]}/echo", method="PUT", body=b"by proxy", proxy=proxy)
            assert response.body == b"by proxy"
        wrong = proxy.replace("secret", "wrong")
        if scheme:
            with pytest.raises(ProxyError, match=r"40[137]") as caught:
                await client.fetch(f"{node[1]}/echo", proxy=wrong)
            assert "wrong" not in str(caught.value)
            with pytest.raises(ProxyError, match="500"):
                await client.fetch("https://localhost:1/", proxy=proxy)
        else:
            with pytest.raises(HTTPClientError, match=r"40[17]"):
                await client.fetch(f"{node[0]}/echo", proxy=wrong)

    with_client(run, use)


@pytest.mark.parametrize("scheme", [0, 1], ids=["http", "https"])
@pytest.mark.parametrize("kind", ["socks5", "socks5h"])
def test_microsocks(run, node, microsocks, scheme, kind):
    async def use(client):
        proxy = f"{kind}://me:secret@127.0.0.1:{microsocks}"
        connections = set()
        for _ in range(2):
            response = await client.fetch(f"{node[scheme]}/echo", method="POST", body=b"by socks", proxy=proxy)
            assert response.body == b"by socks"
            connections.add(response.headers["X-Connection"])
        assert len(connections) == 1
        with pytest.raises(ProxyError, match="does not accept"):
            await client.fetch(f"{node[0]}/echo", proxy=proxy.replace("secret", "wrong"))
        with pytest.raises(ProxyError):
            await client.fetch("http://127.0.0.1:1/", proxy=proxy)

    with_client(run, use)


def test_what_they_compress_is_what_we_decode(run, nginx):
    async def use(client):
        options = {"decompress_response": False, "headers": {"Accept-Encoding": "gzip"}}
        response = await client.fetch(f"{nginx[0]}/hello.txt", **options)
        assert gzip.decompress(response.body) == b"hello from nginx\n" * 100

    with_client(run, use)


def test_a_certificate_for_another_name(run, nginx, expect_log):
    async def use(client):
        with expect_log("gustnado.general", "SSL Error"):
            with pytest.raises(ssl.SSLError):
                await client.fetch(nginx[1].replace("localhost", "other.example"))

    with_client(run, use, hostname_mapping={"other.example": "127.0.0.1"})
