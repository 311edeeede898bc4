"""A program sees what it sees under ``python``."""

from __future__ import annotations

import json
import zipfile

import pytest

RUN = ["-m", "gustnado.as_tornado"]
SHOW = """
import json, sys
shown = {"name": __name__, "file": globals().get("__file__"), "package": __package__ or "", "argv": sys.argv}
shown |= {"path": sys.path[0], "is main": vars(sys.modules["__main__"]) is globals()}
print(json.dumps(shown))
"""


class TestCommand:
    @pytest.fixture
    def programs(self, tmp_path):
        """One program in all the forms that Python can run, and the directory from which it is run."""
        here = tmp_path.resolve() / "here"
        (here / "package").mkdir(parents=True)
        (tmp_path / "there").mkdir()
        (here / "module.py").write_text(SHOW)
        (here / "package/__init__.py").write_text("")
        (here / "package/__main__.py").write_text(SHOW)
        (tmp_path / "there/script.py").write_text(SHOW)
        (tmp_path / "there/__main__.py").write_text(SHOW)
        (tmp_path / "link.py").symlink_to(tmp_path / "there/script.py")
        with zipfile.ZipFile(tmp_path / "program.zip", "w") as archive:
            archive.writestr("__main__.py", SHOW)
        return here

    @pytest.mark.parametrize(
        "program",
        [
            "module.py",
            "../there/script.py",
            "../link.py",
            "../there",
            "../program.zip",
            "-m module",
            "-m package",
        ],
    )
    def test_a_program_sees_what_it_sees_under_python(self, programs, program, python):
        arguments = [*program.split(), "-m", "--help", "x y"]
        plain = python(*arguments, cwd=programs)
        shown = python(*RUN, *arguments, cwd=programs)
        assert plain.returncode == shown.returncode == 0, shown.stderr
        expected = json.loads(plain.stdout)
        expected["argv"][0] = str(programs / expected["argv"][0])
        assert json.loads(shown.stdout) == expected

    def test_one_that_is_given_on_the_command_line_too(self, programs, python):
        plain, shown = (python(*words, "-c", SHOW, "-m", "--help", "x y", cwd=programs) for words in ((), RUN))
        assert json.loads(plain.stdout) == json.loads(shown.stdout)

    def test_one_that_is_given_on_the_command_line_stays_when_it_has_ended(self, python):
        """Exit functions and threads may look for it."""
        code = "import atexit, sys; here = 5; atexit.register(lambda: print(sys.modules['__main__'].here))"
        assert python(*RUN, "-c", code).stdout == "5\n"

    @pytest.mark.parametrize("words", [["module.py"], ["../there/script.py"], ["-c", SHOW]])
    def test_safe_paths_stay_safe(self, programs, python, words):
        plain, shown = (json.loads(python("-P", *more, *words, cwd=programs).stdout)["path"] for more in ((), RUN))
        assert plain == shown

    def test_tornado_is_gustnado(self, tmp_path, python):
        (tmp_path / "a.py").write_text("import tornado.web; print(tornado.web.RequestHandler.__module__)")
        assert python(*RUN, "a.py", cwd=tmp_path).stdout.startswith("gustnado.web.")

    def test_a_program_that_installs_it_too(self, tmp_path, python, installing):
        (tmp_path / "a.py").write_text(installing + "import sys, tornado\nprint(len(sys.meta_path))")
        (tmp_path / "b.py").write_text("import sys; print(len(sys.meta_path))")
        counts = [int(python(*RUN, name, cwd=tmp_path).stdout) for name in ("a.py", "b.py")]
        assert counts[0] == counts[1]

    def test_the_exit_status_is_the_programs(self, tmp_path, python):
        (tmp_path / "a.py").write_text("raise SystemExit(7)")
        assert python(*RUN, "a.py", cwd=tmp_path).returncode == 7
        assert python(*RUN, "-m", "a", cwd=tmp_path).returncode == 7

    def test_an_exception_is_shown(self, tmp_path, python):
        (tmp_path / "a.py").write_text("1 / 0")
        done = python(*RUN, "a.py", cwd=tmp_path)
        assert done.returncode == 1
        assert done.stderr.endswith("ZeroDivisionError: division by zero\n")

    def test_a_package_that_fails_says_why(self, tmp_path, python):
        (tmp_path / "broken").mkdir()
        (tmp_path / "broken/__init__.py").write_text("import nothing_of_that_name")
        done = python(*RUN, "-m", "broken.module", cwd=tmp_path)
        assert done.returncode == 1
        assert "No module named 'nothing_of_that_name'" in done.stderr

    def test_tornados_programs_are_ours(self, tmp_path, python, installing):
        done = python("-m", "gustnado.as_tornado", "-m", "tornado.autoreload", "--help")
        assert done.returncode == 0, done.stderr
        assert "usage: python -m gustnado.autoreload" in done.stdout
        program = tmp_path / "program.py"
        program.write_text("import sys\nprint(sys.argv[1:], 'tornado.autoreload' in sys.modules)\n")
        arguments = ["-m", "tornado.autoreload", "--until-success", str(program), "--port=1"]
        assert python("-m", "gustnado.as_tornado", *arguments).stdout == "['--port=1'] True\n"
        installed = f"{installing}import runpy, sys; sys.argv[1:] = {arguments[2:]}\n"
        done = python("-c", installed + "runpy.run_module('tornado.autoreload', run_name='__main__')")
        assert (done.stdout, done.stderr) == ("['--port=1'] True\n", "")

    def test_unittest_runs_under_it(self, tmp_path, python):
        (tmp_path / "test_it.py").write_text(
            "import unittest, tornado.util\n"
            "class Test(unittest.TestCase):\n"
            "    def test(self):\n"
            "        self.assertEqual(tornado.util.ObjectDict.__module__, 'gustnado.util')\n"
        )
        done = python(*RUN, "-m", "unittest", "-q", "test_it", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "Ran 1 test" in done.stderr

    @pytest.mark.parametrize("option", ["-h", "--help"])
    def test_help(self, option, python):
        done = python(*RUN, option)
        assert done.returncode == 0
        assert "-m MODULE" in done.stdout
        assert max(map(len, done.stdout.splitlines())) <= 100

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ([], "which program?"),
            (["-m"], "-m needs the name of a module"),
            (["-c"], "-c needs a program"),
            (["--no-children"], "which program?"),
            (["--no-children", "--no-children", "a.py"], "no such option: --no-children"),
            (["--port=1"], "no such option: --port=1"),
            (["nothing.py"], "no file nothing.py"),
            (["."], "no __main__.py in ."),
            (["-m", "nothing"], "no module named nothing that can be run"),
            (["-m", "nothing.at.all"], "no module named nothing.at.all that can be run"),
            (["-m", "json.nothing"], "no module named json.nothing that can be run"),
            (["-m", "json"], "no module named json that can be run"),
            (["-m", "tornado.web"], "no module named tornado.web that can be run"),
            (["-m", "tornado.util"], "no module named tornado.util that can be run"),
        ],
    )
    def test_wrong_usage(self, arguments, message, tmp_path, python):
        done = python(*RUN, *arguments, cwd=tmp_path)
        assert done.returncode == 2
        assert done.stderr == f"python -m gustnado.as_tornado: {message}; --help says more\n"
        assert not done.stdout
