"""Options: where they come from, and what is wrong with them. No test here serves."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from gustnado.cli import run as module
from gustnado.cli.config import RunConfig
from gustnado.cli.run import run


@pytest.fixture
def settle(monkeypatch, tmp_path):
    """``settle(arguments, environment, toml)``: the configuration that would be served."""
    served: list[RunConfig] = []

    def serve(config: RunConfig, sockets: Any, supervised: Any) -> int:
        served.append(config)
        return 0

    monkeypatch.setattr(module, "serve", serve)
    monkeypatch.setattr(module, "make_sockets", lambda config: [])
    monkeypatch.setattr(module, "set_up_logging", lambda config: None)

    def of(arguments: str = "", environment: dict[str, str] | None = None, toml: str | None = None) -> RunConfig:
        words = arguments.split()
        if toml is not None:
            (tmp_path / "g.toml").write_text(toml)
            words += ["--config", str(tmp_path / "g.toml")]
        result = CliRunner().invoke(run, words, env=environment)
        assert result.exit_code == 0, result.output
        return served.pop()

    return of


def refuse(*words: str, environment: dict[str, str] | None = None) -> str:
    """What is said where it is refused."""
    result = CliRunner().invoke(run, words, env=environment)
    assert result.exit_code in (1, 2)
    assert isinstance(result.exception, SystemExit)
    return result.output


def test_the_help_teaches() -> None:
    text = CliRunner().invoke(run, ["--help"]).output
    for heading in ("Where to listen:", "TLS:", "Processes:", "Logs:", "Limits:", "Examples:", "Signals:"):
        assert f"\n  {heading}" in text or f"\n{heading}" in text
    assert all(parameter.help for parameter in run.params if isinstance(parameter, click.Option))


def test_defaults(settle) -> None:
    assert settle("shop:app") == RunConfig(app="shop:app", worker_method=module._METHOD)


def test_each_option_can_be_set_on_the_command_line_in_the_environment_and_in_a_file(settle) -> None:
    values = {
        "app_dir": "x", "host": "::1", "port": "81", "unix": "w.sock", "unix_mode": "600", "backlog": "9",
        "workers": "1", "grace": "3.5", "boot_timeout": "4", "log_level": "debug", "log_file": "l",
        "access_log": "a", "access_log_format": "common", "request_id_header": "X-Id", "loop": "select",
    }  # fmt: skip
    expected = {**values, "port": 81, "unix_mode": 0o600, "backlog": 9, "workers": 1, "grace": 3.5, "boot_timeout": 4.0}
    arguments = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in values.items())
    environment = {f"GUSTNADO_{name.upper()}": value for name, value in values.items()}
    numbers = ("port", "backlog", "workers", "grace", "boot_timeout")
    toml = "".join(f"{name} = {value if name in numbers else repr(value)}\n" for name, value in values.items())
    for config in (settle(f"s:a {arguments}"), settle("s:a", environment), settle("s:a", None, toml)):
        assert {name: getattr(config, name) for name in expected} == expected


def test_flags_and_lists_too(settle) -> None:
    for config in (
        settle("s:a --fd 3 --fd 4 --reload --forwarded --trusted-proxy 10.0.0.0/8 --trusted-proxy unix"),
        settle(
            "s:a",
            {
                "GUSTNADO_FD": "3 4",
                "GUSTNADO_RELOAD": "1",
                "GUSTNADO_FORWARDED": "yes",
                "GUSTNADO_TRUSTED_PROXY": "10.0.0.0/8 unix",
            },
        ),
        settle(
            "s:a", None, 'fd = [3, 4]\nreload = true\nforwarded = true\ntrusted_proxy = ["10.0.0.0/8", "unix"]'
        ),
    ):
        assert (config.fd, config.reload, config.port) == ((3, 4), True, None)
        assert (config.forwarded, config.trusted_proxies()) == (True, ["10.0.0.0/8", "unix"])
    assert settle("s:a --proxy-headers --trusted-proxy 2").trusted_proxies() == 2
    assert settle("s:a").trusted_proxies() is None


def test_the_application_may_stand_in_each_place(settle) -> None:
    assert settle("", {"GUSTNADO_APP": "b:app"}).app == "b:app"
    assert settle("", None, 'app = "c:app"').app == "c:app"
    assert settle("a:app", {"GUSTNADO_APP": "b:app"}, 'app = "c:app"').app == "a:app"


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(settle) -> None:
    toml = "port = 1\ngrace = 1\nbacklog = 1\n"
    config = settle("s:a --port 3", {"GUSTNADO_PORT": "2", "GUSTNADO_GRACE": "2"}, toml)
    assert (config.port, config.grace, config.backlog) == (3, 2.0, 1)


def test_limits_come_together_from_all_places(settle) -> None:
    toml = "[limits]\nmax_parts = 1\nidle-timeout = '1s'\nmax_cookies = 1"
    with pytest.raises(AssertionError, match="limit 'idle-timeout' does not exist; did you mean idle_timeout"):
        settle("s:a", None, toml)
    toml = toml.replace("idle-timeout", "idle_timeout")
    environment = {"GUSTNADO_LIMIT": "max_parts=2 max-cookies=2"}
    assert settle("s:a", environment, toml).limits == {"max_parts": 2, "idle_timeout": 1.0, "max_cookies": 2}
    assert settle("s:a --limit max_parts=3", environment, toml).limits == {
        "max_parts": 3,
        "idle_timeout": 1.0,
        "max_cookies": 1,
    }


def test_the_default_port_gives_way_to_other_sockets(settle, monkeypatch) -> None:
    assert settle("s:a --unix w.sock").port is None
    assert settle("s:a --unix w.sock --port 8000").port == 8000
    assert settle("s:a --unix w.sock", {"GUSTNADO_PORT": "8000"}).port == 8000
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    assert settle("s:a").port is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "what is to be served? Say MODULE:NAME"),
        (("s:a", "--port", "65536"), "65536 is not in the range"),
        (("s:a", "--port", "http"), "'http' is not a valid whole number"),
        (("s:a", "--grace", "long"), "'long' is not a valid number"),
        (("s:a", "--host", ""), "Invalid value for '--host': it is empty; 0.0.0.0 is every address"),
        (("s:a", "--workers", "0"), "0 is not in the range"),
        (("s:a", "--unix-mode", "999"), "'999' is no mode in octal, as 660"),
        (("s:a", "--unix-mode", "7777"), "'7777' is no mode in octal, as 660"),
        (("s:a", "--access-log-format", "{stauts}"), "did you mean {status}?"),
        (("s:a", "--request-id-header", "a b"), "'a b' is no name of a header field"),
        (("s:a", "--loop", "nope"), "nope"),
        (("s:a", "--limit", "x"), "Error: limit 'x': NAME=VALUE is wanted"),
        (("s:a", "--limit", "max_parts=x"), "Error: limit max_parts: 'x' is no number"),
        (("s:a", "--config", "missing.toml"), "Error: cannot read missing.toml: no such file or directory"),
        (("s:a", "--reload", "--workers", "2"), "Error: --reload is for one process"),
        (("s:a", "--cert", "missing.pem"), "Error: --cert: missing.pem does not exist"),
        (("s:a", "--key", "missing.pem"), "Error: --key is of no use without --cert"),
        (("s:a", "--proxy-headers"), "Error: --proxy-headers: say whom to believe, as --trusted-proxy 127.0.0.1"),
        (("s:a", "--forwarded"), "Error: --forwarded: say whom to believe"),
        (("s:a", "--forwarded", "--proxy-headers"), "a proxy sets one kind"),
        (("s:a", "--trusted-proxy", "10.0.0.0/99"), "Error: --trusted-proxy: "),
        (("s:a", "--nope"), "No such option"),
    ],
)
def test_what_is_wrong_is_told(words, message: str) -> None:
    assert message in " ".join(refuse(*words).split())


def test_what_is_wrong_in_the_environment_or_the_file_is_told_with_its_place(tmp_path: Path) -> None:
    told = refuse("s:a", environment={"GUSTNADO_PORT": "x"})
    assert "Invalid value for environment variable GUSTNADO_PORT: 'x'" in told
    file = tmp_path / "g.toml"
    file.write_text("port = 65536")
    assert "Invalid value for port in the file of --config: 65536" in refuse("s:a", "--config", str(file))
    file.write_text("[limits]\nmax_partz = 1")
    assert f"Error: {file}: limit 'max_partz' does not exist" in refuse("s:a", "--config", str(file))


def test_a_port_in_use_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert refuse("s:a", "--port", str(port)) == (
            f"Error: cannot listen on 127.0.0.1 port {port}: address already in use\n"
        )


def test_a_log_that_cannot_be_opened_is_told_in_one_line(tmp_path: Path) -> None:
    text = refuse("s:a", "--port", "0", "--log-file", str(tmp_path / "no" / "log"))
    assert text == f"Error: --log-file {tmp_path}/no/log: No such file or directory\n"
