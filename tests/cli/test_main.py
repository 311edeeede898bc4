from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

from click.testing import CliRunner

import gustnado
from gustnado.cli.main import main


def test_the_help_names_the_subcommands_and_shows_examples() -> None:
    text = CliRunner().invoke(main, ["--help"]).output
    assert "gustnado run shop:app" in text
    assert "gustnado check shop:app" in text


def test_the_version() -> None:
    assert CliRunner().invoke(main, ["--version"]).output == f"gustnado, version {gustnado.__version__}\n"


def test_the_command_is_installed() -> None:
    (script,) = entry_points(group="console_scripts", name="gustnado")
    assert script.load() is main


def test_the_package_is_a_command_too() -> None:
    done = subprocess.run([sys.executable, "-m", "gustnado", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"gustnado, version {gustnado.__version__}\n"


def test_what_is_no_command_is_told() -> None:
    result = CliRunner().invoke(main, ["sreve"])
    assert result.exit_code == 2
    assert "No such command 'sreve'" in result.output
