from __future__ import annotations

import sys

import pytest
from click.testing import CliRunner

from gustnado.cli.check import check


@pytest.fixture
def look(tmp_path, monkeypatch):
    """``look(source, *options)``: the result of checking ``program_to_check:app``."""
    monkeypatch.setattr(sys, "path", sys.path[:])

    def at(source: str, *options: str, name: str = "program_to_check:app"):
        (tmp_path / "program_to_check.py").write_text(
            "from gustnado.web import Application, RequestHandler, URLSpec\n"
            "class Home(RequestHandler): pass\n" + source
        )
        sys.modules.pop("program_to_check", None)
        return CliRunner().invoke(check, [name, "--app-dir", str(tmp_path), *options])

    yield at
    sys.modules.pop("program_to_check", None)


def test_routes_are_listed(look) -> None:
    result = look("app = Application([('/', Home), URLSpec('/user/([0-9]+)', Home, name='user')])")
    assert result.exit_code == 0
    assert result.output == (
        "2 routes\n"
        "  /               program_to_check.Home\n"
        "  /user/([0-9]+)  program_to_check.Home  (user)\n"
        "no warnings\n"
    )


def test_warnings_have_a_remedy_and_fail_where_it_is_strict(look) -> None:
    source = "app = Application([('/', Home)], cookie_secret='short', xsrf_cookies=True)"
    result = look(source)
    assert result.exit_code == 0
    warning = "Warning: cookie_secret has 5 bytes: who guesses it can sign in as anybody\n         Make one"
    assert warning in result.output
    assert result.output.endswith("1 warnings\n")
    assert look(source, "--strict").exit_code == 1
    assert look("app = Application([])", "--strict").exit_code == 0


def test_colour_is_for_terminals_only(look) -> None:
    result = look("app = Application([], debug=True, autoreload=False)")
    assert "Warning: debug is on" in result.output
    assert "\x1b" not in result.output


def test_what_is_no_application_is_told(look) -> None:
    imports = "from gustnado.http import HTTPServerConnectionDelegate\n"
    result = look(imports + "class D(HTTPServerConnectionDelegate): pass\napp = D()")
    assert result.exit_code == 0
    assert "program_to_check:app is of the class D: no Application" in result.output


def test_what_cannot_be_loaded_is_told_in_one_line(look) -> None:
    result = look("", name="program_to_check:nope")
    assert result.exit_code == 1
    assert result.output == "Error: 'program_to_check' has no attribute 'nope'; no application is in program_to_check\n"


def test_an_error_of_the_program_has_its_traceback(look) -> None:
    result = look("1 // 0")
    assert result.exit_code == 1
    assert "Traceback" in result.output
    last = result.output.splitlines()[-1]
    assert last.startswith("Error: program_to_check cannot be imported: ZeroDivisionError: ")
