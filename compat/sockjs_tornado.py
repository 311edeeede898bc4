"""sockjs-tornado, of 2019: connections over WebSockets, and over six ways around them."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from collections.abc import Iterator

import httpx
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from compat.environments import APPS
from compat.program import Program
from compat.session import TIMEOUT, Session

__all__ = ["PROGRAM"]

FIELDS = ("content-type", "cache-control", "access-control-allow-origin", "set-cookie", "allow")
NAMES = (f"session{number}" for number in itertools.count())


def told(response: httpx.Response) -> tuple[object, ...]:
    """What is compared of a response."""
    return response.status_code, response.text, *(response.headers.get(field) for field in FIELDS)


@contextlib.contextmanager
def socket(session: Session, path: str) -> Iterator[ClientConnection]:
    """A WebSocket."""
    with connect(session.ws(path), open_timeout=TIMEOUT, proxy=None) as opened:
        yield opened


def drive(session: Session) -> None:
    """Each transport in turn, then a chat between two of them."""
    session.get("/nothing", 404)
    static(session)
    polling(session)
    streaming(session)
    websocket(session)
    bad_requests(session)
    chat(session)
    path = f"/echo/000/{next(NAMES)}"
    session.http.post(f"{path}/xhr").raise_for_status()
    session.measure("a message sent and polled", 200, lambda: send_and_poll(session, path))
    with socket(session, f"/echo/000/{next(NAMES)}/websocket") as opened:
        opened.recv(timeout=TIMEOUT)
        session.measure("a message over a WebSocket", 500, lambda: exchange(opened, '["x"]'))


def static(session: Session) -> None:
    """What needs no session."""
    session.expect("greeting", session.get("/echo").text, "Welcome to SockJS!\n")
    info = session.get("/echo/info").json()
    session.expect("entropy", isinstance(info.pop("entropy"), int), True)
    session.note("info", info)
    session.expect("no WebSocket", session.get("/quiet/info").json()["websocket"], False)
    for path in ("/echo/info", "/echo/000/x/xhr", "/echo/000/x/xhr_send"):
        session.note(f"OPTIONS {path}", told(session.http.options(path, headers={"Origin": "http://a.example"})))
    page = session.get("/echo/iframe.html")
    session.note("iframe", page.text)
    unchanged = session.http.get("/echo/iframe.html", headers={"If-None-Match": page.headers["ETag"]})
    session.expect("iframe again", (unchanged.status_code, unchanged.text), (304, ""))
    with session.http.stream("POST", "/echo/chunking_test") as response:
        session.note("chunks", re.sub(r"\s+", " ", "".join(response.iter_text())))


def send_and_poll(session: Session, path: str) -> str:
    """Send a message, and poll for its echo."""
    session.http.post(f"{path}/xhr_send", content='["x"]').raise_for_status()
    return session.http.post(f"{path}/xhr").text


def exchange(opened: ClientConnection, message: str) -> str | bytes:
    """Send a message, and receive its echo."""
    opened.send(message)
    return opened.recv(timeout=TIMEOUT)


def polling(session: Session) -> None:
    """A response for each message, by XHR and by JSONP."""
    path = f"/echo/000/{next(NAMES)}"
    session.note("xhr open", told(session.http.post(f"{path}/xhr")))
    session.note("xhr_send", told(session.http.post(f"{path}/xhr_send", content='["a", "b\\u20ac"]')))
    session.expect("xhr", session.http.post(f"{path}/xhr").text, 'a["a","b\\u20ac"]\n')
    path = f"/echo/000/{next(NAMES)}"
    call = {"c": "callback"}
    session.note("jsonp open", told(session.http.get(f"{path}/jsonp", params=call)))
    session.expect("jsonp_send", session.http.post(f"{path}/jsonp_send", data={"d": '["x"]'}).text, "ok")
    session.expect("jsonp", session.http.get(f"{path}/jsonp", params=call).text, 'callback("a[\\"x\\"]");\r\n')


def streaming(session: Session) -> None:
    """Responses that go on until 4 KiB have been sent."""
    for transport, method, query in (
        ("xhr_streaming", "POST", ""),
        ("eventsource", "GET", ""),
        ("htmlfile", "GET", "?c=callback"),
    ):
        path = f"/echo/000/{next(NAMES)}"
        with session.http.stream(method, f"{path}/{transport}{query}") as response:
            fields = tuple(response.headers.get(field) for field in (*FIELDS, "transfer-encoding"))
            session.note(f"{transport}: fields", (response.status_code, *fields))
            texts, received = response.iter_text(), ""
            for count in range(1, 4):
                session.http.post(f"{path}/xhr_send", content=json.dumps([f"{count}" * 1400])).raise_for_status()
                while f"{count}" * 1400 not in received:
                    received += next(texts)
            received += "".join(texts)
        session.note(f"{transport}: all", received)
    closed = session.http.post(f"/close/000/{next(NAMES)}/xhr_streaming").text.lstrip("h\n")
    session.expect("close", closed, 'o\nc[3000,"Go away!"]\n')
    busy(session)


def busy(session: Session) -> None:
    """A second receiver of one session is turned away, and the end of the first ends the session."""
    path = f"/echo/000/{next(NAMES)}"
    with session.http.stream("POST", f"{path}/xhr_streaming") as response:
        texts = response.iter_text()
        while not next(texts).endswith("o\n"):
            pass
        second = session.http.post(f"{path}/xhr").text
    session.expect("two receivers", second, 'c[2010,"Another connection still open"]\n')


def websocket(session: Session) -> None:
    """The framed WebSocket and the raw one."""
    with socket(session, f"/echo/000/{next(NAMES)}/websocket") as opened:
        session.expect("open frame", opened.recv(timeout=TIMEOUT), "o")
        session.expect("echo", exchange(opened, '["a"]'), 'a["a"]')
        session.expect("many", exchange(opened, '["a", "b", "c"]'), 'a["a"]')
        session.expect("more", [opened.recv(timeout=TIMEOUT) for _ in "bc"], ['a["b"]', 'a["c"]'])
        session.expect("long", len(exchange(opened, json.dumps(["x" * 200_000]))), 200_005)
        opened.send("")
        session.expect("empty ones are ignored", exchange(opened, '["z"]'), 'a["z"]')
        session.note("no JSON", closing(opened, '["x'))
    with socket(session, f"/close/000/{next(NAMES)}/websocket") as opened:
        frames = [opened.recv(timeout=TIMEOUT) for _ in range(2)]
        session.expect("close frames", frames, ["o", 'c[3000,"Go away!"]'])
        session.note("closed", closing(opened))
    with socket(session, "/echo/websocket") as opened:
        session.expect("raw", exchange(opened, "hello"), "hello")
    with socket(session, "/close/websocket") as opened:
        session.note("raw, closed", closing(opened))


def closing(opened: ClientConnection, message: str | None = None) -> tuple[object, ...]:
    """How the server closes; after a message."""
    with contextlib.suppress(ConnectionClosed):
        if message is not None:
            opened.send(message)
        opened.recv(timeout=TIMEOUT)
        return ("not closed",)
    return opened.close_code, opened.close_reason


def bad_requests(session: Session) -> None:
    """What is turned away."""
    path = f"/echo/000/{next(NAMES)}"
    for name, response in {
        "xhr_send without a session": session.http.post(f"{path}/xhr_send", content="[]"),
        "GET of a WebSocket": session.http.get(f"{path}/websocket"),
        "POST of a WebSocket": session.http.post(f"{path}/websocket"),
        "jsonp without a callback": session.http.get(f"{path}/jsonp"),
        "no Connection": session.http.get(f"{path}/websocket", headers={"Upgrade": "websocket", "Connection": "close"}),
    }.items():
        session.note(name, (response.status_code, response.text))
    session.http.post(f"{path}/xhr").raise_for_status()
    for body in ("", '["x', "x"):
        session.note(f"xhr_send {body!r}", told(session.http.post(f"{path}/xhr_send", content=body)))
    try:
        with socket(session, f"/quiet/000/{next(NAMES)}/websocket"):
            status = 101
    except InvalidStatus as error:
        status = error.response.status_code
    session.note("a WebSocket where there is none", status)


def chat(session: Session) -> None:
    """One member polls, one has a WebSocket; the server notices when this one goes, and its heart beats."""
    path = f"/chat/000/{next(NAMES)}"
    session.http.post(f"{path}/xhr").raise_for_status()
    with socket(session, f"/chat/000/{next(NAMES)}/websocket") as opened:
        session.expect("chat, open", opened.recv(timeout=TIMEOUT), "o")
        session.expect("chat, come", session.http.post(f"{path}/xhr").text, 'a["someone has come"]\n')
        session.http.post(f"{path}/xhr_send", content='["hello"]').raise_for_status()
        session.expect("chat, to the other", without_heartbeats(opened), 'a["hello"]')
        session.expect("chat, to itself", session.http.post(f"{path}/xhr").text, 'a["hello"]\n')
        session.expect("heartbeat", opened.recv(timeout=TIMEOUT), "h")
    received = session.http.post(f"{path}/xhr").text
    while received == "h\n":
        received = session.http.post(f"{path}/xhr").text
    session.expect("chat, gone", received, 'a["someone has gone"]\n')


def without_heartbeats(opened: ClientConnection) -> str | bytes:
    """The next message."""
    while (received := opened.recv(timeout=TIMEOUT)) == "h":
        pass
    return received


PROGRAM = Program(
    name="sockjs_tornado",
    packages=("sockjs-tornado",),
    arguments=lambda place: [str(APPS / "sockjs_app.py"), str(place.port)],
    drive=drive,
)
