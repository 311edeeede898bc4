from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from gustnado.autoreload.command import HELP, main
from gustnado.autoreload.reloader import MODE_VARIABLE

DEADLINE = 100.0  # seconds; far above what anything here takes
WAITING = "waiting for a change"

START = """
import os, sys
from gustnado import autoreload
from gustnado.events import IOLoop
autoreload.start(check_time=50)
"""
SERVE = """
print("ready", flush=True)
IOLoop.current().start()
"""


class TestCommandLine:
    def run(self, *arguments, **options):
        return subprocess.run(
            [sys.executable, "-m", "gustnado.autoreload", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE,
            **options,
        )

    def test_a_program_that_ends_runs_again(self, write, begin, mode):
        write("script.py", "print('one')")
        program = begin("-m", "gustnado.autoreload", "script.py", mode=mode)
        program.until_said(WAITING)
        write("script.py", "print('the second')")
        program.until_said(WAITING, 2)
        assert "one" in program.text()
        assert "the second" in program.text()
        assert program.text().count("exit status 0") == 2

    def test_a_syntax_error_and_its_repair(self, write, begin, mode):
        write("words.py", "WORD = (")
        write("script.py", "import words\nprint(words.WORD)")
        program = begin("-m", "gustnado.autoreload", "script.py", mode=mode)
        program.until_said(WAITING)
        assert "SyntaxError: '(' was never closed" in program.text()
        write("words.py", "WORD = 'repaired'")
        program.until_said(WAITING, 2)
        assert "repaired" in program.text()

    def test_a_syntax_error_of_the_program_itself(self, write, begin):
        for arguments in (["script.py"], ["-m", "script"]):
            write("script.py", "print('")
            program = begin("-m", "gustnado.autoreload", *arguments)
            program.until_said(WAITING)
            write("script.py", "print('repaired')")
            program.until_said("repaired")
            program.process.kill()

    def test_a_syntax_error_while_the_server_runs(self, write, begin, mode):
        """The two ways together: the program sees the change, the command line its error and the repair."""
        write("server.py", START + SERVE)
        program = begin("-m", "gustnado.autoreload", "server.py", mode=mode)
        program.until_said("ready")
        write("server.py", START + SERVE + "(")
        program.until_said(WAITING)
        write("server.py", START + SERVE + "()")
        program.until_said("ready", 2)

    def test_an_exception_of_a_module_that_was_imported(self, write, begin):
        write("words.py", "try:\n    1 / 0\nexcept Exception as error:\n    raise ValueError from error")
        write("script.py", "import words")
        program = begin("-m", "gustnado.autoreload", "script.py")
        program.until_said(WAITING)
        trace = program.text().split(WAITING)[0]
        assert "ValueError" in trace
        assert "runpy" not in trace
        write("words.py", "print('repaired')")
        program.until_said("repaired")

    @pytest.mark.parametrize("new", ["missing.py", "missing/__init__.py"])
    def test_a_missing_module_that_appears(self, write, begin, mode, new):
        write("script.py", "import missing")
        program = begin("-m", "gustnado.autoreload", "script.py", mode=mode)
        program.until_said(WAITING)
        assert "No module named 'missing'" in program.text()
        write(new, "print('here it is')")
        program.until_said("here it is")

    def test_a_missing_name_that_appears(self, write, begin):
        write("words.py", "")
        write("script.py", "from words import WORD; print(WORD)")
        program = begin("-m", "gustnado.autoreload", "script.py")
        program.until_said(WAITING)
        write("words.py", "WORD = 'here it is'")
        program.until_said("here it is")

    def test_until_success(self, write, begin):
        write("script.py", "raise SystemExit('not yet')")
        program = begin("-m", "gustnado.autoreload", "--until-success", "script.py")
        program.until_said(WAITING)
        write("script.py", "raise SystemExit")
        assert program.until_ended() == 0
        assert program.text() == f"not yet\npython -m gustnado.autoreload: exit status 1; {WAITING}\n"

    def test_the_program_runs_as_it_would_alone(self, write):
        show = "import sys; print(__name__, sys.argv[1:], sys.modules['__main__'].__dict__ is globals())\n"
        write("package/beside.py", "print('beside')")
        path = write("package/__main__.py", show + "import beside")
        write("package/module.py", show)
        for arguments, beside in (
            ([str(path)], True),
            ([str(path.parent)], True),
            (["-m", "package.module"], False),
        ):
            found = self.run("--until-success", *arguments, "-m", "--help", cwd=path.parents[1])
            expected = "__main__ ['-m', '--help'] True\n" + ("beside\n" if beside else "")
            assert (found.stdout, found.stderr, found.returncode) == (expected, "", 0)

    @pytest.mark.skipif(os.name == "nt", reason="no such signals")
    def test_signals_end_it_whatever_the_program_did_with_them(self, write, begin):
        write("script.py", "import signal\nfor n in (2, 15): signal.signal(n, signal.SIG_IGN)")
        for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)):
            program = begin("-m", "gustnado.autoreload", "script.py")
            program.until_said(WAITING)
            program.process.send_signal(number)
            assert program.until_ended() == status
            assert "Traceback" not in program.text()

    def test_help(self):
        found = self.run("--help")
        assert (found.returncode, found.stderr) == (0, "")
        assert found.stdout == HELP
        assert MODE_VARIABLE in HELP

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ([], "which program?"),
            (["-m"], "-m needs the name of a module"),
            (["--until"], "no such option: --until"),
            (["nothing.py"], "no file nothing.py"),
        ],
    )
    def test_wrong_use(self, arguments, words, capsys):
        assert main(arguments) == 2
        assert capsys.readouterr().err == f"python -m gustnado.autoreload: {words}; --help says more\n"
