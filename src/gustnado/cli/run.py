"""``gustnado run``: serve an application."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from gustnado.cli.config import RunConfig
from gustnado.cli.config_file import read_config
from gustnado.cli.listening import check_certificate, describe, make_sockets
from gustnado.cli.options import GroupedCommand, GroupedOption, Number, WholeNumber
from gustnado.cli.processes import Processes
from gustnado.cli.quantities import check_limits, split_limit
from gustnado.cli.supervisor import Supervisor
from gustnado.cli.worker import Supervised, serve, set_up_logging
from gustnado.errors import UsageError
from gustnado.events.loop_choice import loop_factory
from gustnado.http.proxies import TrustedProxies
from gustnado.http.request_ids import RequestIds
from gustnado.log import gen_log
from gustnado.web.access_format import compile_format

__all__ = ["run"]

_F = TypeVar("_F", bound=Callable[..., Any])

_CAN_FORK = hasattr(os, "fork")
_METHODS = ["fork", "spawn"] if _CAN_FORK else ["spawn"]
# macOS: its own libraries do not survive a fork, as CPython's multiprocessing found out.
_METHOD = "fork" if _CAN_FORK and sys.platform != "darwin" else "spawn"
_FILE_LIMITS = "gustnado.limits"
_FILE_TYPES: dict[str, type] = {
    "app": str, "app_dir": str, "host": str, "port": int, "unix": str, "unix_mode": str, "fd": list, "backlog": int,
    "cert": str, "key": str, "proxy_headers": bool, "forwarded": bool, "proxy_protocol": bool, "trusted_proxy": list,
    "workers": int, "worker_method": str, "supervise": bool, "grace": float,
    "boot_timeout": float, "reload": bool, "loop": str, "log_level": str, "log_file": str, "access_log": str,
    "access_log_format": str, "request_id_header": str, "limits": dict,
}  # fmt: skip

_EPILOG = """\b
Examples:
  gustnado run shop:app
  gustnado run shop:make_app --port 80 --host 0.0.0.0 --workers 4
  gustnado run shop:app --unix /run/shop/web.sock --access-log /var/log/shop.log
  gustnado run shop:app --cert cert.pem --key key.pem --port 443
  gustnado run shop:app --limit max_body_size=50MiB --limit idle_timeout=20s
  GUSTNADO_PORT=9000 gustnado run shop:app --config gustnado.toml

\b
Each option can be set in three places; the first that does wins:
  the command line             --access-log FILE
  the environment              GUSTNADO_ACCESS_LOG=FILE
  the TOML file of --config    access_log = "FILE"
Limits are a table there, [limits], and NAME=VALUE between spaces in GUSTNADO_LIMIT. They
are the fields of gustnado.http.Limits. Where systemd passes sockets they are used instead of --port.

\b
Signals:
  TERM, INT   end: accept no more, finish requests for --grace seconds; a second one: now
  HUP         with workers: replace them one by one, without a gap; else: reopen the log
  USR1        reopen the log files, after logrotate has moved them
  TTIN, TTOU  one worker more, one less
  QUIT        with workers: end now
"""


def _option(*names: str, **attributes: Any) -> Callable[[_F], _F]:
    variable = "GUSTNADO_" + names[0].lstrip("-").replace("-", "_").upper()
    return click.option(*names, cls=GroupedOption, envvar=variable, **attributes)


def _read_file(ctx: click.Context, parameter: click.Parameter, path: str | None) -> str | None:
    if path is not None:
        try:
            values = read_config(path, _FILE_TYPES)
        except UsageError as error:
            raise click.ClickException(str(error)) from error
        try:
            ctx.meta[_FILE_LIMITS] = check_limits(values.pop("limits", {}))
        except UsageError as error:
            raise click.ClickException(f"{path}: {error}") from error
        ctx.default_map = {**(ctx.default_map or {}), **values}
    return path


def _octal(ctx: click.Context, parameter: click.Parameter, value: str) -> int:
    try:
        mode = int(value, 8)
    except ValueError:
        mode = -1
    if not 0 <= mode <= 0o777:
        raise click.BadParameter(f"{value!r} is no mode in octal, as 660")
    return mode


def _refuse_empty(host: str) -> None:
    """It would be every address: too much for a variable of a shell that is not set."""
    if not host:
        raise UsageError("it is empty; 0.0.0.0 is every address of IPv4, :: of IPv6")


def _check(function: Callable[[str], object]) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """A callback that passes a value on which a function does not refuse."""

    def callback(ctx: click.Context, parameter: click.Parameter, value: Any) -> Any:
        if value is not None:
            try:
                function(value)
            except UsageError as error:
                raise click.BadParameter(str(error)) from error
        return value

    return callback


@click.command(cls=GroupedCommand, epilog=_EPILOG, context_settings={"show_default": True})
@click.argument("app", required=False, envvar="GUSTNADO_APP")
@_option("--app-dir", group="Application", metavar="DIR", default=".", help="Where modules are looked for first.")
@_option("--reload", group="Application", is_flag=True, default=False,
         help="Restart when a file changes: for development.")  # fmt: skip
@_option(
    "--config", group="Application", metavar="FILE", is_eager=True, callback=_read_file,
    help="TOML file with options.",
)  # fmt: skip
@_option("--host", group="Where to listen", default="127.0.0.1", callback=_check(_refuse_empty),
         help="Name or address; 0.0.0.0 is every one of IPv4, :: of IPv6.")  # fmt: skip
@_option("--port", group="Where to listen", type=WholeNumber(0, 65535), metavar="PORT", default=8000,
         help="TCP port; 0 lets the system choose.")  # fmt: skip
@_option("--unix", group="Where to listen", metavar="PATH", help="Unix socket instead of a port; @NAME is abstract.")
@_option("--unix-mode", group="Where to listen", metavar="OCTAL", default="660", callback=_octal,
         help="Permissions of its file.")  # fmt: skip
@_option("--fd", group="Where to listen", type=WholeNumber(0), metavar="N", multiple=True,
         help="Listening socket that was inherited, by its descriptor; several times for several.")  # fmt: skip
@_option("--backlog", group="Where to listen", type=WholeNumber(1), metavar="N", default=1024,
         help="Connections that the kernel holds until they are accepted.")  # fmt: skip
@_option("--cert", group="TLS", metavar="FILE", help="Certificate and its chain, PEM. Serves https.")
@_option("--key", group="TLS", metavar="FILE", help="Its key, if it is not in the same file.")
@_option("--proxy-headers", group="Behind a proxy", is_flag=True, default=False,
         help="Take client and scheme from X-Forwarded-For and -Proto.")  # fmt: skip
@_option("--forwarded", group="Behind a proxy", is_flag=True, default=False,
         help="Take them from Forwarded (RFC 7239) instead, and the host.")  # fmt: skip
@_option("--proxy-protocol", group="Behind a proxy", is_flag=True, default=False,
         help="Connections begin with a header of the PROXY protocol, 1 or 2.")  # fmt: skip
@_option("--trusted-proxy", group="Behind a proxy", metavar="WHO", multiple=True,
         help='Who is believed: an address, a network, "unix", or how many proxies; several times for several.')
@_option("--workers", group="Processes", type=WholeNumber(1), metavar="N", default=1,
         help="Processes that serve. With more than 1 a supervisor restarts those that die.")  # fmt: skip
@_option("--supervise", group="Processes", is_flag=True, default=False, help="A supervisor for one worker, too.")
@_option("--worker-method", group="Processes", type=click.Choice(_METHODS), default=_METHOD,
         help="How workers are made: forked, or started anew.")  # fmt: skip
@_option("--grace", group="Processes", type=Number(0), default=30.0, metavar="SECONDS",
         help="Time for requests to end at the end.")  # fmt: skip
@_option("--boot-timeout", group="Processes", type=Number(0, min_open=True), default=60.0,
         metavar="SECONDS", help="Time for a worker to become ready.")  # fmt: skip
@_option("--loop", group="Processes", metavar="NAME", callback=_check(loop_factory),
         help="Event loop: uvloop, asyncio, epoll...  [default: the best that is installed]")  # fmt: skip
@_option("--log-level", group="Logs", default="info",
         type=click.Choice(["debug", "info", "warning", "error"]), help="Lowest level of messages.")  # fmt: skip
@_option("--log-file", group="Logs", metavar="FILE", help="Messages go there instead of to standard error.")
@_option("--access-log", group="Logs", metavar="FILE", default="-",
         help='A line for each request; "-" is standard output, "off" none.')  # fmt: skip
@_option(
    "--access-log-format", group="Logs", metavar="FORMAT", default="default", callback=_check(compile_format),
    help='default, common, combined, json, or your own, as "{status} {uri}"; see gustnado.web.access_format.',
)  # fmt: skip
@_option("--request-id-header", group="Logs", metavar="NAME", callback=_check(RequestIds),
         help="Field from which request ids are taken; only behind a proxy that sets it.")  # fmt: skip
@_option("--limit", group="Limits", metavar="NAME=VALUE", multiple=True,
         help="A limit, as max_body_size=10MiB or header_timeout=5s; several times for several.")  # fmt: skip
@click.pass_context
def run(ctx: click.Context, /, app: str | None, config: str | None, limit: tuple[str, ...], **values: Any) -> None:
    """Serve APP, as MODULE:NAME: an Application, or a function without arguments that makes one.

    MODULE alone stands for MODULE:app, or application, make_app, create_app: whichever is there.
    """
    if not app:
        raise click.UsageError("what is to be served? Say MODULE:NAME, or app = 'MODULE:NAME' in the file of --config")
    try:
        settled = _settle(ctx, app, limit, values)
        check_certificate(settled)
        sockets = make_sockets(settled)
        try:
            set_up_logging(settled)
        except OSError as error:
            for sock in sockets:
                sock.close()
            raise UsageError(f"--log-file {settled.log_file}: {error.strerror or error}") from error
    except UsageError as error:
        raise click.ClickException(str(error)) from error
    supervised: Supervised | None = None
    if settled.workers > 1 or settled.supervise:
        where = ", ".join(describe(sock, settled.cert is not None) for sock in sockets)
        gen_log.info("serving %s at %s with %d workers", app, where, settled.workers)
        supervisor = Supervisor(settled.workers, grace=settled.grace, boot_timeout=settled.boot_timeout)
        outcome = Processes(settled, sockets, supervisor).run()
        if isinstance(outcome, int):
            sys.exit(outcome)
        supervised = outcome  # this is a worker by now
    sys.exit(serve(settled, sockets, supervised))


def _check_proxies(values: dict[str, Any]) -> None:
    """Whoever may be believed must be told: a client could else claim any address."""
    if values["proxy_headers"] and values["forwarded"]:
        raise UsageError("--proxy-headers and --forwarded: a proxy sets one kind, and passes on the other unseen")
    if (values["proxy_headers"] or values["forwarded"]) and not values["trusted_proxy"]:
        option = "--forwarded" if values["forwarded"] else "--proxy-headers"
        raise UsageError(f"{option}: say whom to believe, as --trusted-proxy 127.0.0.1, or --trusted-proxy unix")
    setting = RunConfig(app="", trusted_proxy=values["trusted_proxy"]).trusted_proxies()
    try:
        TrustedProxies(() if setting is None else setting)
    except ValueError as error:
        raise UsageError(f"--trusted-proxy: {error}") from error


def _settle(ctx: click.Context, app: str, limit: tuple[str, ...], values: dict[str, Any]) -> RunConfig:
    """The configuration of what was given where."""
    is_default = ctx.get_parameter_source("port") in (ParameterSource.DEFAULT, None)
    listens_otherwise = values["unix"] or values["fd"] or os.environ.get("LISTEN_PID") == str(os.getpid())
    if is_default and listens_otherwise:
        values["port"] = None
    _check_proxies(values)
    several = values["workers"] > 1 or values["supervise"]
    if several and values["reload"]:
        raise UsageError("--reload is for one process: leave out --workers and --supervise, or --reload")
    if several and os.name == "nt":
        raise UsageError("--workers and --supervise need sockets that processes inherit, which Windows lacks")
    limits = {**ctx.meta.get(_FILE_LIMITS, {}), **check_limits(dict(split_limit(text) for text in limit))}
    return RunConfig(app=app, limits=limits, **values)
