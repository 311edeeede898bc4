"""A process that serves: it loads the application, accepts on sockets that are there, and ends on a signal.

Alone it takes SIGTERM and SIGINT for its end, a second one for an end at once. Below a supervisor it takes SIGTERM
from it, ignores what a terminal sends to all, which the supervisor gets as well, and ends in good order when the
supervisor has died. SIGUSR1 (and SIGHUP, where there is no supervisor) open the log files anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import logging.handlers
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any

import click

from gustnado import autoreload
from gustnado.cli.config import RunConfig
from gustnado.cli.listening import describe, ssl_options
from gustnado.cli.loading import LoadError, load_app, short_traceback
from gustnado.cli.notify import notify
from gustnado.cli.supervisor import CANNOT_START
from gustnado.events.loop import IOLoop
from gustnado.events.process import set_task_id
from gustnado.http.delegates import HTTPServerConnectionDelegate
from gustnado.http.limits import Limits
from gustnado.http.running import END_SIGNALS, end_tasks, on_signals, wait_for_signal
from gustnado.http.server import HTTPServer
from gustnado.log import LogFormatter, gen_log
from gustnado.web.access_log import AccessLog

__all__ = ["WORKER_VARIABLE", "Supervised", "main", "serve", "set_up_logging"]

WORKER_VARIABLE = "GUSTNADO_WORKER"
"""Environment variable by which a supervisor tells a process that it has spawned what to do."""

_LOG_FORMAT = (
    "%(color)s[%(levelname)1.1s %(asctime)s %(process)d %(module)s:%(lineno)d]%(end_color)s %(message)s"
)


class Supervised:
    """The descriptors by which a worker and its supervisor know of each other.

    :param number: the worker's; see :func:`~gustnado.events.process.task_id`.
    :param ready: the worker writes a byte when it accepts connections.
    :param lifeline: ends when the supervisor has died.
    """

    def __init__(self, number: int, ready: int, lifeline: int) -> None:
        self.number = number
        self.ready = ready
        self.lifeline = lifeline


def serve(config: RunConfig, sockets: list[socket.socket], supervised: Supervised | None = None) -> int:
    """Serve until told to end; the exit status of the process.

    Errors of the program are told on standard error. The sockets are closed in the end.
    """
    if supervised is not None:
        set_task_id(supervised.number)
        for name in ("SIGINT", "SIGHUP"):  # a terminal sends them to all; the supervisor answers them
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    with contextlib.ExitStack() as closing:
        for sock in sockets:
            closing.callback(sock.close)
        try:
            app, log = _prepare(config)
        except LoadError as error:
            _tell(error)
            if config.reload:
                _wait_for_change(config, error)
            return 1 if supervised is None else CANNOT_START
        if log is not None:
            closing.callback(log.close)
        server = HTTPServer(
            app,
            ssl_options=None if config.cert is None else ssl_options(config),
            limits=Limits(**config.limits),  # type: ignore[arg-type]
            request_id_header=config.request_id_header,
            xheaders=config.proxy_headers,
            forwarded=config.forwarded,
            proxy_protocol=config.proxy_protocol,
            trusted_proxies=config.trusted_proxies(),
        )
        IOLoop.current().run_sync(lambda: _serve(config, server, sockets, supervised, log))
    return 0


def _prepare(config: RunConfig) -> tuple[HTTPServerConnectionDelegate, AccessLog | None]:
    if config.loop:
        IOLoop.configure(config.loop)
    IOLoop.current()  # for programs that ask for it while they are loaded
    app = load_app(config.app, config.app_dir)
    if config.reload:
        autoreload.start()
    settings: dict[str, Any] | None = getattr(app, "settings", None)
    if settings is None or "log_function" in settings:  # the program's own affair
        return app, None
    if config.access_log == "off":
        settings["log_function"] = None
        return app, None
    try:
        settings["log_function"] = log = AccessLog(config.access_log, config.access_log_format)
    except OSError as error:
        raise LoadError(f"--access-log {config.access_log}: {error.strerror or error}") from None
    return app, log


async def _serve(
    config: RunConfig,
    server: HTTPServer,
    sockets: list[socket.socket],
    supervised: Supervised | None,
    log: AccessLog | None,
) -> None:
    with contextlib.ExitStack() as cleaning:
        cleaning.enter_context(on_signals(_log_signals(log, alone=supervised is None)))
        # systemd may send its own SIGTERM to each process, beside the supervisor's: that is no hurry.
        waiting = wait_for_signal(
            server,
            grace=config.grace,
            signals=END_SIGNALS if supervised is None else [signal.SIGTERM],
            hurry=supervised is None,
        )
        ending = asyncio.ensure_future(waiting)
        await asyncio.sleep(0)  # from here on signals are heard
        server.add_sockets(sockets)
        if supervised is None:
            where = ", ".join(describe(sock, config.cert is not None) for sock in sockets)
            gen_log.info("serving %s at %s", config.app, where)
            notify("ready")
            server.shutting_down.add_callback(lambda: notify("stopping"))
        else:
            os.write(supervised.ready, b"1")
            os.close(supervised.ready)
            loop = asyncio.get_running_loop()
            loop.add_reader(supervised.lifeline, _orphaned, supervised.lifeline)
            cleaning.callback(loop.remove_reader, supervised.lifeline)
        await ending
        await end_tasks()


def _log_signals(log: AccessLog | None, alone: bool) -> dict[int, Callable[[], object]]:
    """Handlers of the signals by which log files are opened anew. The program's log sees it by itself."""
    names = ["SIGUSR1", "SIGHUP"] if alone else ["SIGUSR1"]
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    return dict.fromkeys(numbers, _nothing if log is None else log.reopen)


def _nothing() -> None:
    """Without a handler the signal would end the process."""


def _orphaned(lifeline: int) -> None:
    asyncio.get_running_loop().remove_reader(lifeline)
    gen_log.error("the supervisor has died, so this worker ends")
    os.kill(os.getpid(), signal.SIGTERM)


def _wait_for_change(config: RunConfig, error: LoadError) -> None:
    """Start again when one of the files changes that the program has failed in, or when its module appears."""
    cause = error.__cause__
    if cause is not None:
        for frame in traceback.extract_tb(cause.__traceback__):
            autoreload.watch(frame.filename)
        if isinstance(cause, SyntaxError) and cause.filename:
            autoreload.watch(cause.filename)
    module = config.app.partition(":")[0].replace(".", os.sep)
    for name in (f"{module}.py", os.path.join(module, "__init__.py")):
        autoreload.watch(os.path.join(config.app_dir, name))
    click.echo("Waiting for a change; Ctrl-C ends it.", err=True)
    autoreload.wait()


def _tell(error: LoadError) -> None:
    if error.__cause__ is not None:
        click.echo(short_traceback(error.__cause__), err=True)
    click.echo(f"{click.style('Error:', fg='red')} {error}", err=True)


def set_up_logging(config: RunConfig) -> None:
    """Have all loggers write to standard error, or to the file of the configuration.

    A file that is moved away is opened anew.

    :raises OSError: where the file cannot be opened.
    """
    handler: logging.Handler = logging.StreamHandler()
    if config.log_file is not None:
        handler = logging.handlers.WatchedFileHandler(config.log_file, encoding="utf-8")
    handler.setFormatter(LogFormatter(_LOG_FORMAT, color=config.log_file is None))
    logging.basicConfig(handlers=[handler], level=config.log_level.upper())


def main() -> None:
    """What a spawned process runs: :func:`serve`, as :data:`WORKER_VARIABLE` says."""
    told = json.loads(os.environ.pop(WORKER_VARIABLE))
    config = RunConfig.from_json(told["config"])
    set_up_logging(config)
    sockets = [socket.socket(fileno=fd) for fd in told["sockets"]]
    sys.exit(serve(config, sockets, Supervised(told["number"], told["ready"], told["lifeline"])))
