"""A headless Chromium, driven by its DevTools protocol: https://chromedevtools.github.io/devtools-protocol/.

``with Chromium(folder) as browser: page = browser.open(url)``. A page keeps what its console says, uncaught exceptions
and failed loads: ``page.complaints``.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

__all__ = ["Chromium", "Page", "find_chromium"]

DEADLINE = 60.0  # seconds, for anything; a loaded machine takes a tenth of it to start the browser
OPTIONS = [
    "--headless",
    "--no-sandbox",  # it may be root's, in a container
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
    "--window-size=1000,800",
]
LISTENING = re.compile(r"DevTools listening on (ws://\S+)")


def find_chromium() -> str | None:
    """The browser's path, if it is installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Chromium:
    """One browser, with a profile of its own; it is gone after the ``with``."""

    def __init__(self, executable: str) -> None:
        self._executable = executable
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Chromium:
        with self._stack as stack:
            profile = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
            log = Path(profile, "log")
            self._log = stack.enter_context(log.open("w+", encoding="utf-8", errors="replace"))
            command = [self._executable, *OPTIONS, f"--user-data-dir={profile}", "about:blank"]
            self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=self._log)
            stack.callback(self._end)
            self._socket = stack.enter_context(connect(self._address(), max_size=None, open_timeout=DEADLINE))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    def _end(self) -> None:
        self._process.kill()
        self._process.wait(DEADLINE)

    def _address(self) -> str:
        """Where it listens, which it writes when it does."""
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline and self._process.poll() is None:
            self._log.seek(0)
            found = LISTENING.search(self._log.read())
            if found is not None:
                return found[1]
            time.sleep(0.05)
        self._log.seek(0)
        raise RuntimeError(f"chromium did not start:\n{self._log.read()}")

    def new_page(self) -> Page:
        """A new, empty page."""
        return Page(self._socket)


class Page:
    """One page. ``complaints`` is what went wrong in it, as the browser's console shows it."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._count = 0
        self._session: str | None = None
        self.complaints: list[str] = []
        self.loads = 0
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol."""
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        self._socket.send(json.dumps(message))
        while (answer := self._receive()).get("id") != self._count:
            self._note(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def _receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._socket.recv(DEADLINE))
        return message

    def _note(self, event: dict[str, Any]) -> None:
        parameters = event.get("params", {})
        match event.get("method"):
            case "Page.loadEventFired":
                self.loads += 1
            case "Runtime.consoleAPICalled" if parameters["type"] in ("error", "warning", "assert"):
                self.complaints.append(json.dumps(parameters["args"]))
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(parameters["exceptionDetails"]))
            case "Log.entryAdded" if parameters["entry"]["level"] in ("error", "warning"):
                self.complaints.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")
            case "Network.loadingFailed" if not parameters.get("canceled"):
                self.complaints.append(parameters["errorText"])

    def open(self, url: str) -> None:
        """Go to ``url``, and wait until it is loaded."""
        loads = self.loads
        failed = self.call("Page.navigate", url=url).get("errorText")
        if failed:
            raise RuntimeError(f"{url}: {failed}")
        self._wait_for_load(loads)

    def _wait_for_load(self, loads: int) -> None:
        while self.loads == loads:
            self._note(self._receive())

    def run(self, script: str) -> Any:
        """The value of a piece of JavaScript."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, userGesture=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def text(self, selector: str = "body") -> str:
        """What a reader sees of an element."""
        text: str = self.run(f"document.querySelector({json.dumps(selector)}).innerText")
        return text

    @property
    def url(self) -> str:
        """Where it is."""
        url: str = self.run("location.href")
        return url

    def type_into(self, selector: str, text: str) -> None:
        """Type into a field, as a user does."""
        self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        self.call("Input.insertText", text=text)

    def choose_file(self, selector: str, path: Path) -> None:
        """Choose a file in a field for one."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def click(self, selector: str) -> None:
        """Click what leads to another page, and wait until that is loaded."""
        loads = self.loads
        box = self.run(
            f"(e => {{ e.scrollIntoView(); const r = e.getBoundingClientRect();"
            f" return [r.x + r.width / 2, r.y + r.height / 2] }})(document.querySelector({json.dumps(selector)}))"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)
        self._wait_for_load(loads)

    def screenshot(self, path: Path) -> None:
        """Write what it looks like, as a PNG."""
        image = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(image))
