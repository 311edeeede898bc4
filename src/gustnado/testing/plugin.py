"""The pytest plugin: an event loop, a server and a client for tests, and tests that are coroutines.

It is there where Gustnado is installed (``-p no:gustnado`` leaves it out). Fixtures:

=======================  ============================================================================
``io_loop``              a new :class:`~gustnado.events.IOLoop`, the current one; closed after the test
``app``                  yours: what is to be served, an application or whatever `HTTPServer` takes
``http_server_options``  yours if you like: keyword arguments of the server, a dict
``http_server``          the server of ``app``, on ``http_port``
``http_port``            an unused port
``http_base_url``        ``http://127.0.0.1:<http_port>``, or ``https``, where the options say TLS
``http_client``          an ``AsyncHTTPClient`` of the test's own, while ``http_server`` serves
``memory_client``        an ``InMemoryClient`` of ``app``, without a server or a port; see `gustnado.testing`
=======================  ============================================================================

::

    @pytest.fixture
    def app():
        return Application([("/", HelloHandler)])

    async def test_it_says_hello(http_client, http_base_url):
        response = await http_client.fetch(http_base_url + "/")
        assert response.body == b"Hello, world"

A coroutine is run, on ``io_loop``, where it asks for that fixture, by name or by way of another one, or bears the
mark ``@pytest.mark.gustnado``; with ``gustnado_auto = true`` in pytest's configuration, every one is. Coroutines that
are marked for another plugin (``asyncio``, ``anyio``, ``trio``) are left to it; in its ``auto`` mode pytest-asyncio
marks them all. A fixture that is a coroutine or an asynchronous generator is run where it asks for ``io_loop``.

A test may take as long as ``@pytest.mark.gustnado(timeout=seconds)`` says, else the environment's
``ASYNC_TEST_TIMEOUT``, else 5 seconds. What a callback of a loop raises meanwhile fails it, unless `ExpectLog`
expects that; so do tasks that are left and raise something when they are cancelled.
"""

from __future__ import annotations

import functools
import inspect
import socket
import unittest
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gustnado.events.loop import IOLoop
    from gustnado.http.client.api import AsyncHTTPClient
    from gustnado.http.server import HTTPServer
    from gustnado.testing.loops import CallbackWatch
    from gustnado.testing.memory_client import InMemoryClient

# The rings are imported when a test asks for a fixture: every run of pytest imports this module.

__all__ = [
    "http_base_url",
    "http_client",
    "http_port",
    "http_server",
    "http_server_options",
    "io_loop",
    "memory_client",
    "pytest_addoption",
    "pytest_configure",
    "pytest_fixture_setup",
    "pytest_itemcollected",
    "pytest_pyfunc_call",
]

MARK = "gustnado"
MARKS_OF_OTHERS = ("asyncio", "anyio", "trio")


# -- fixtures -----------------------------------------------------------------------------------------


@pytest.fixture
def _gustnado_watch() -> Iterator[CallbackWatch]:
    """Fails the test if a callback does."""
    from gustnado.testing.loops import CallbackWatch

    watch = CallbackWatch()
    watch.start()
    yield watch
    watch.stop()
    watch.check()


@pytest.fixture
def io_loop(_gustnado_watch: CallbackWatch) -> Iterator[IOLoop]:
    """A new event loop, which is the current one."""
    from gustnado.testing.loops import close_loop, new_loop

    loop = new_loop()
    yield loop
    close_loop(loop)


@pytest.fixture
def _gustnado_socket() -> Iterator[socket.socket]:
    from gustnado.testing.ports import bind_unused_port

    sock, _ = bind_unused_port()
    with sock:
        yield sock


@pytest.fixture
def http_port(_gustnado_socket: socket.socket) -> int:
    """The port that the test's server listens on."""
    port: int = _gustnado_socket.getsockname()[1]
    return port


@pytest.fixture
def http_server_options() -> dict[str, Any]:
    """Keyword arguments of the test's server; override this fixture to have some."""
    return {}


@pytest.fixture
def http_base_url(http_server_options: dict[str, Any], http_port: int) -> str:
    """The URL of the test's server, without a slash at its end."""
    return f"{'https' if http_server_options.get('ssl_options') else 'http'}://127.0.0.1:{http_port}"


@pytest.fixture
def http_server(
    io_loop: IOLoop, app: Any, http_server_options: dict[str, Any], _gustnado_socket: socket.socket
) -> Iterator[HTTPServer]:
    """A server of the fixture ``app``."""
    from gustnado.http.server import HTTPServer
    from gustnado.testing.coroutines import get_async_test_timeout
    from gustnado.testing.servers import close_server

    server: HTTPServer = HTTPServer(app, **http_server_options)
    server.add_socket(_gustnado_socket)
    yield server
    io_loop.run_sync(lambda: close_server(server), timeout=get_async_test_timeout())


@pytest.fixture
def http_client(http_server: HTTPServer, http_server_options: dict[str, Any]) -> Iterator[AsyncHTTPClient]:
    """A client; it does not check certificates where the test's server has one."""
    from gustnado.http.client.api import AsyncHTTPClient

    defaults = {"validate_cert": False} if http_server_options.get("ssl_options") else None
    client = AsyncHTTPClient(force_instance=True, defaults=defaults)
    yield client
    client.close()


@pytest.fixture
def memory_client(io_loop: IOLoop, app: Any) -> Iterator[InMemoryClient]:
    """A client of the fixture ``app`` that needs no socket."""
    from gustnado.testing.memory_client import InMemoryClient

    client = InMemoryClient(app)
    _run(io_loop, client.__aenter__)
    yield client
    _run(io_loop, functools.partial(client.__aexit__, None, None, None))


# -- hooks --------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """Tell pytest of ``gustnado_auto``."""
    parser.addini("gustnado_auto", "run every coroutine that no other plugin is asked to run", "bool", False)


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest of the mark."""
    config.addinivalue_line(
        "markers", "gustnado(timeout=None): run a coroutine on the fixture io_loop, for so many seconds at most"
    )


def pytest_itemcollected(item: pytest.Item) -> None:
    """Have the loop made for coroutines that do not ask for it themselves."""
    if isinstance(item, pytest.Function) and _is_ours(item) and "io_loop" not in item.fixturenames:
        item.fixturenames.extend(["_gustnado_watch", "io_loop"])


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine of ours; ``None`` leaves a test to others."""
    if not _is_ours(pyfuncitem):
        return None
    from gustnado.testing.coroutines import run_with_deadline

    names = inspect.signature(pyfuncitem.obj).parameters
    values: dict[str, Any] = pyfuncitem.funcargs
    arguments = {name: value for name, value in values.items() if name in names}
    test = functools.partial(pyfuncitem.obj, **arguments)
    run_with_deadline(values["io_loop"], test, _deadline(pyfuncitem))
    watch: CallbackWatch | None = values.get("_gustnado_watch")
    if watch is not None:  # there is none where the program has an io_loop of its own
        watch.check()
    return True


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """Run a fixture that is asynchronous and asks for the loop."""
    function: Any = fixturedef.func
    if request.instance is not None and inspect.ismethod(function):
        # Of the instance that the test is a method of; pytest has bound it to another one.
        function = function.__func__.__get__(request.instance)
    is_generator = inspect.isasyncgenfunction(function)
    if "io_loop" not in fixturedef.argnames or not (is_generator or inspect.iscoroutinefunction(function)):
        return (yield)
    original = fixturedef.func
    fixturedef.func = (_generate if is_generator else _call)(function)  # type: ignore[misc]
    try:
        return (yield)
    finally:
        fixturedef.func = original  # type: ignore[misc]


def _call(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def fixture(*args: Any, io_loop: IOLoop, **kwargs: Any) -> Any:
        return _run(io_loop, functools.partial(function, *args, io_loop=io_loop, **kwargs))

    return fixture


def _generate(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def fixture(*args: Any, io_loop: IOLoop, **kwargs: Any) -> Iterator[Any]:
        generator = function(*args, io_loop=io_loop, **kwargs)
        yield _run(io_loop, generator.__anext__)
        try:
            _run(io_loop, generator.__anext__)
        except StopAsyncIteration:
            return
        _run(io_loop, generator.aclose)
        raise RuntimeError(f"the fixture {function.__qualname__} yielded more than once")

    return fixture


def _run(io_loop: IOLoop, function: Callable[[], Any]) -> Any:
    from gustnado.testing.coroutines import get_async_test_timeout, run_with_deadline

    return run_with_deadline(io_loop, function, get_async_test_timeout())


def _is_ours(item: pytest.Function) -> bool:
    """Whether a test is a coroutine that this plugin has been asked to run."""
    if not inspect.iscoroutinefunction(item.obj) or (item.cls and issubclass(item.cls, unittest.TestCase)):
        return False
    if any(item.get_closest_marker(mark) for mark in MARKS_OF_OTHERS):
        return False
    asked = item.get_closest_marker(MARK) is not None or "io_loop" in item.fixturenames
    return asked or bool(item.config.getini("gustnado_auto"))


def _deadline(item: pytest.Function) -> float:
    """Seconds that a test may take.

    :raises pytest.UsageError: where its mark has other arguments than ``timeout``.
    """
    from gustnado.testing.coroutines import get_async_test_timeout

    mark = item.get_closest_marker(MARK)
    if mark is None or not (mark.args or mark.kwargs):
        return get_async_test_timeout()
    if mark.args or mark.kwargs.keys() != {"timeout"}:
        raise pytest.UsageError(f"{item.nodeid}: @pytest.mark.gustnado takes timeout=seconds, and nothing else")
    return float(mark.kwargs["timeout"])
