"""How much memory uploads take: ``python -m benchmarks.uploads``.

1,000 uploads of 10 MiB, 50 at a time, to handlers that take them in every manner that Gustnado has. Each answers with
length and checksum, which are compared. Counted is the highest resident memory of the server (``VmHWM``), which is
started anew for each manner. Held in memory, 50 such bodies alone would be 500 MiB.
"""

from __future__ import annotations

import concurrent.futures
import re
import socket
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

from benchmarks.environment import Environment
from benchmarks.errors import HarnessError
from benchmarks.findings import Finding, load_server, report
from benchmarks.measure import running
from benchmarks.options import make_parser, parse, say

__all__ = ["MANNERS", "main", "measure", "read_peak", "upload"]

UPLOADS = 1_000
AT_ONCE = 50
SIZE = 10 << 20
PEAK = 200.0
"""MiB."""
MANNERS = {
    "push": "@stream_request_body, data_received",
    "pull": "@pull_request_body, async for chunk in body_stream",
    "parts": "@pull_request_body, async for part in request.parts()",
    "spooled": "@pull_request_body, await request.form(), files on disk",
    "files": "an ordinary handler, request.files",
}
"""Path -> how its handler takes an upload."""
MULTIPART = ("parts", "spooled", "files")
BOUNDARY = b"a-boundary-of-no-meaning"


def make_file(size: int = SIZE) -> bytes:
    """Bytes that are not all the same."""
    return bytes(range(256)) * (size // 256)


def make_request(manner: str, file: bytes) -> bytes:
    """A request that uploads ``file``."""
    body, kind = file, b"application/octet-stream"
    if manner in MULTIPART:
        kind = b"multipart/form-data; boundary=" + BOUNDARY
        disposition = b'Content-Disposition: form-data; name="file"; filename="file.bin"'
        body = b"--%b\r\n%b\r\n\r\n%b\r\n--%b--\r\n" % (BOUNDARY, disposition, file, BOUNDARY)
    head = b"POST /%b HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n"
    return head % (manner.encode(), kind, len(body)) + body


def upload(port: int, requests: Sequence[bytes], expected: bytes) -> None:
    """Sends requests on one connection, one after the other.

    :raises HarnessError: if an answer is not the right one.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        for request in requests:
            connection.sendall(request)
            answer = b""
            while not answer.endswith(b"\r\n\r\n" + expected):
                data = connection.recv(65536)
                if not data or len(answer) > 10_000:
                    raise HarnessError(f"an upload was answered with {answer[:200]!r}")
                answer += data


def read_peak(pid: int) -> float:
    """The highest resident memory that a process ever had, in MiB."""
    (found,) = re.findall(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found) / 1024


def measure(environment: Environment, manner: str, uploads: int = UPLOADS, size: int = SIZE) -> Finding:
    """Uploads to one server.

    :raises HarnessError: if it does not serve, or answers wrongly.
    """
    file = make_file(size)
    request, expected = make_request(manner, file), b"%d %d" % (len(file), zlib.crc32(file))
    with running(load_server(), environment) as (pid, port):
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as threads:
            each = [request] * (uploads // AT_ONCE)
            for done in [threads.submit(upload, port, each, expected) for _ in range(AT_ONCE)]:
                done.result()
        peak = read_peak(pid)
    say(f"{manner:<8}{peak:8.1f} MiB")
    return Finding(f"{MANNERS[manner]}: highest memory", peak, "MiB", PEAK)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints the table and writes it; returns the exit status."""
    parser = make_parser("benchmarks.uploads", "How much memory do uploads take?", "MANNER", MANNERS, rounds=False)
    options = parse(parser, arguments)
    title = f"{UPLOADS:,} uploads of {SIZE >> 20} MiB, {AT_ONCE} at a time"
    return report("uploads", title, options, lambda env: [measure(env, manner) for manner in options.only])


if __name__ == "__main__":
    sys.exit(main())
