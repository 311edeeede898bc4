"""The cases of the Autobahn test suite, on Gustnado's WebSocket server and on its client: every one has to be OK.

::

    python -m compat.autobahn                       # all cases, both ends; an hour or so
    python -m compat.autobahn --quick               # without those on limits, sizes and compression; half a minute
    python -m compat.autobahn --cases '1.*' '7.*'   # some
    python -m compat.autobahn --ends client

The suite is a program for Python 2.7, which has to be there, on PATH or in pyenv's place; its packages are installed
into ``build/autobahn``, where the reports are written, too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from gustnado.errors import GustnadoError
from gustnado.http.server import HTTPServer
from gustnado.http.ws.client import websocket_connect
from gustnado.web.application import Application
from gustnado.web.websocket import WebSocketHandler

HOME = Path(__file__).resolve().parent.parent / "build" / "autobahn"
PINS = """
    attrs==21.4.0 autobahn[twisted,accelerate]==0.10.9 cryptography==3.3.2 incremental==16.10.1 jinja2==2.11.3
    klein==17.10.0 markupsafe==1.1.1 pyOpenSSL==19.1.0 service_identity==18.1.0 Twisted==19.10.0 txaio==2.1.0
    unittest2==1.1.0 Werkzeug==1.0.1
""".split()
SUITE = "autobahntestsuite==25.10.1"
AGENT = "gustnado"
LARGEST = 64 * 1024 * 1024  # Bytes: cases 9.* send 16 MiB in a message.
FINE = {"OK", "INFORMATIONAL"}
QUICK = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"]


class EchoHandler(WebSocketHandler):
    """Sends back what it gets, as it came."""

    def get_compression_options(self) -> dict[str, object]:
        return {}

    def on_message(self, message: str | bytes) -> Awaitable[None]:
        return self.write_message(message, binary=isinstance(message, bytes))


def find_python() -> str | None:
    """A Python 2.7 that runs, or None."""
    known = map(str, sorted(Path.home().glob(".pyenv/versions/2.7*/bin/python2.7")))
    for python in filter(None, [*known, shutil.which("python2.7")]):
        if subprocess.run([python, "-V"], capture_output=True, check=False).returncode == 0:
            return python
    return None


def install(python: str) -> Path:
    """Set up the suite once; its command is returned."""
    command = HOME / "python2.7" / "bin" / "wstest"
    if not command.exists():
        print(f"installing {SUITE} for {python} into {command.parent.parent}", flush=True)
        HOME.mkdir(parents=True, exist_ok=True)
        target = HOME / "tools"
        subprocess.run([python, "-m", "pip", "install", "-q", "--target", target, "virtualenv<20.22"], check=True)
        environment = {"PYTHONPATH": str(target), "PATH": "/usr/bin:/bin"}
        subprocess.run([python, "-m", "virtualenv", "-q", HOME / "python2.7"], check=True, env=environment)
        pip: list[str | Path] = [HOME / "python2.7" / "bin" / "python", "-m", "pip", "install", "-q"]
        subprocess.run([*pip, *PINS], check=True)
        subprocess.run([*pip, "--no-deps", SUITE], check=True)
    return command


@contextmanager
def suite(command: Path, mode: str, spec: Mapping[str, object]) -> Iterator[subprocess.Popen[bytes]]:
    """Run the suite in *mode*, and end it; its own output goes to a file beside the reports."""
    outdir = Path(str(spec["outdir"]))
    shutil.rmtree(outdir, ignore_errors=True)
    outdir.mkdir(parents=True)
    path = outdir / "spec.json"
    path.write_text(json.dumps(spec))
    with (outdir / "output.txt").open("wb") as output:
        process = subprocess.Popen([command, "-m", mode, "-s", path, "-u", "0"], stdout=output, stderr=output)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


async def run_server(command: Path, cases: list[str], port: int) -> Path:
    """The suite is the client, and we are the server."""
    server = HTTPServer(Application([("/", EchoHandler)], websocket_max_message_size=LARGEST))
    server.listen(port, "127.0.0.1")
    outdir = HOME / "server"
    target = {"agent": AGENT, "url": f"ws://127.0.0.1:{port}", "options": {"version": 18}}
    spec = {"outdir": str(outdir), "servers": [target], "cases": cases, "exclude-cases": [], "exclude-agent-cases": {}}
    with suite(command, "fuzzingclient", spec) as process:
        await asyncio.to_thread(process.wait)
    await server.shutdown(grace=1.0)
    return outdir


async def run_client(command: Path, cases: list[str], port: int) -> Path:
    """The suite is the server, and we are the client."""
    url = f"ws://127.0.0.1:{port}"
    outdir = HOME / "client"
    spec = {"outdir": str(outdir), "url": url, "cases": cases, "exclude-cases": [], "exclude-agent-cases": {}}
    with suite(command, "fuzzingserver", spec) as process:
        count = await count_cases(f"{url}/getCaseCount", process)
        for number in range(1, count + 1):
            if sys.stdout.isatty():
                print(f"\rclient: case {number} of {count} ", end="", flush=True)
            await echo(f"{url}/runCase?case={number}&agent={AGENT}")
        async with websocket_connect(f"{url}/updateReports?agent={AGENT}") as connection:
            await connection.read_message()
    return outdir


async def count_cases(url: str, process: subprocess.Popen[bytes]) -> int:
    """How many there are, asked again while the suite starts."""
    while True:
        try:
            async with websocket_connect(url) as connection:
                return int(str(await connection.read_message()))
        except OSError:
            if process.poll() is not None:
                raise SystemExit(f"the suite has ended with {process.returncode}, see output.txt in {HOME}") from None
            await asyncio.sleep(0.2)


async def echo(url: str) -> None:
    """One case: what arrives goes back."""
    try:
        async with websocket_connect(url, compression_options={}, max_message_size=LARGEST) as connection:
            async for message in connection:
                await connection.write_message(message, binary=isinstance(message, bytes))
    except GustnadoError:
        return  # Cases that are errors of the protocol end so; the report tells whether rightly.


def tell(end: str, outdir: Path) -> bool:
    """Print what came of it; whether every case was as it has to be."""
    index = outdir / "index.json"
    if not index.exists():
        print(f"{end}: no report, see {outdir / 'output.txt'}")
        return False
    results = json.loads(index.read_text())[AGENT]
    print(f"{end}: {len(results)} cases: {dict(Counter(result['behavior'] for result in results.values()))}")
    bad = {
        case: result
        for case, result in results.items()
        if not {result["behavior"], result["behaviorClose"]} <= FINE
    }
    for case, result in sorted(bad.items()):
        print(f"  {case}: {result['behavior']}, closing {result['behaviorClose']}: {outdir / result['reportfile']}")
    return bool(results) and not bad


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    some = parser.add_mutually_exclusive_group()
    some.add_argument("--cases", nargs="+", default=["*"], metavar="CASE", help="such as 9.* (default: all)")
    some.add_argument("--quick", dest="cases", action="store_const", const=QUICK, help=f"only {' '.join(QUICK)}")
    parser.add_argument("--ends", nargs="+", choices=["server", "client"], default=["server", "client"])
    parser.add_argument("--port", type=int, default=9101, help="on the loopback address (default: 9101)")
    parser.add_argument("--python", help="a Python 2.7 with pip (default: one that is found)")
    options = parser.parse_args()
    python = options.python or find_python()
    if python is None:
        parser.error("no python2.7 on PATH or in ~/.pyenv/versions; say where one is: --python /path/to/python2.7")
    command = install(python)
    fine = True
    for end in options.ends:
        run = run_server if end == "server" else run_client
        fine &= tell(end, asyncio.run(run(command, options.cases, options.port)))
    return 0 if fine else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
