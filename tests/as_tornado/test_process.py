"""A process is made so once and for good, and those that it starts as it says."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

from gustnado.as_tornado import environment
from gustnado.as_tornado.process import STARTUP

RUN = ["-m", "gustnado.as_tornado"]
WHICH = "import tornado, sys; print(tornado.__name__)"
# The ways in which programs start Python, each of which prints what `tornado` is there.
WAYS = {
    "subprocess": f"import subprocess; subprocess.run([sys.executable, '-c', {WHICH!r}], check=True)",
    "a copy of the environment": f"""
        import os, subprocess
        subprocess.run([sys.executable, "-c", {WHICH!r}], env={{**os.environ, "MORE": "1"}}, check=True)
    """,
    "system": f"import os; os.system(f'{{sys.executable}} -s -c \"{WHICH}\"')",
    "exec": f"import os; os.execv(sys.executable, [sys.executable, '-c', {WHICH!r}])",
    "a grandchild": f"""
        import subprocess
        code = f"import subprocess; subprocess.run([{{sys.executable!r}}, '-c', {WHICH!r}], check=True)"
        subprocess.run([sys.executable, "-c", code], check=True)
    """,
    "asyncio": f"""
        import asyncio
        async def main():
            await (await asyncio.create_subprocess_exec(sys.executable, "-c", {WHICH!r})).wait()
        asyncio.run(main())
    """,
    "tornado": f"""
        from tornado import process, ioloop
        child = process.Subprocess([sys.executable, "-c", {WHICH!r}])
        ioloop.IOLoop.current().run_sync(child.wait_for_exit)
    """,
}
# A program for multiprocessing has to be a file.
MULTIPROCESSING = """
import multiprocessing, sys
import tornado.web

def work():
    print(tornado.__name__, tornado.web.RequestHandler.__module__, flush=True)

if __name__ == "__main__":
    worker = multiprocessing.get_context(sys.argv[1]).Process(target=work)
    worker.start()
    worker.join()
    sys.exit(worker.exitcode)
"""


def test_again_is_no_change(run_program):
    assert run_program("""
        import sys, logging, os
        state = lambda: (list(sys.meta_path), logging.getLogger("tornado.access"), dict(os.environ))
        before = state()
        gustnado.as_tornado.install()
        print(state() == before)
    """) == ["True"]


class TestTheRealTornado:
    def test_it_is_refused_and_said_where_it_is_from(self, python, tmp_path, installing):
        (tmp_path / "library.py").write_text("from tornado.util import ObjectDict\n")
        done = python("-c", "import sys, library\n" + installing, cwd=tmp_path)
        assert done.returncode == 1
        assert "UsageError: the real tornado has been imported already, from " in done.stderr
        assert f"{os.sep}tornado{os.sep}__init__.py, and is used by library: call" in done.stderr
        assert "before the first import of tornado" in done.stderr

    @pytest.mark.parametrize("line", ["import tornado", "import tornado.web as w", "from tornado.web import url"])
    def test_the_program_itself_may_use_it(self, line, python, installing):
        assert ", and is used by __main__: call" in python("-c", f"{line}\n{installing}").stderr

    def test_or_nobody(self, python, installing):
        assert "is used by no module" in python("-c", f"import tornado; del tornado\n{installing}").stderr

    def test_what_is_no_module_is_not_looked_at(self, python, installing):
        lazy = "class Lazy:\n    __class__ = property(lambda self: exit('awake'))\nlazy = Lazy()\n"
        done = python("-c", f"import sys, tornado\nsys.modules['odd'] = None\n{lazy}{installing}")
        assert "is used by __main__:" in done.stderr


class TestEnvironment:
    def test_it_is_a_copy(self):
        base = {"HOME": "/nowhere"}
        assert environment(base) == {"HOME": "/nowhere", "GUSTNADO_AS_TORNADO": "1", "PYTHONPATH": STARTUP}
        assert base == {"HOME": "/nowhere"}

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("", [STARTUP]),
            ("a", [STARTUP, "a"]),
            # An empty place in the list is the current directory.
            (os.pathsep.join(["", "b"]), [STARTUP, "", "b"]),
            (os.pathsep.join(["a", STARTUP, "b"]), [STARTUP, "a", "b"]),
        ],
    )
    def test_what_was_there_comes_after_it(self, before, after):
        assert environment({"PYTHONPATH": before})["PYTHONPATH"].split(os.pathsep) == after

    def test_again_is_no_change(self):
        once = environment({"PYTHONPATH": "a"})
        assert environment(once) == once

    def test_without_a_base_it_is_that_of_the_process(self, monkeypatch):
        monkeypatch.setenv("A_NAME", "a value")
        assert environment()["A_NAME"] == "a value"

    def test_a_python_in_it_has_gustnado(self, python):
        assert python("-c", WHICH, **environment({})).stdout == "gustnado.tornado\n"


class TestChildren:
    @pytest.mark.parametrize("way", WAYS)
    def test_of_a_program_on_the_command_line(self, way, python):
        done = python(*RUN, "-c", "import sys\n" + textwrap.dedent(WAYS[way]))
        assert (done.stdout, done.stderr) == ("gustnado.tornado\n", "")

    @pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
    @pytest.mark.parametrize("words", [["program.py"], ["-m", "program"]])
    def test_of_multiprocessing(self, method, words, python, tmp_path):
        (tmp_path / "program.py").write_text(MULTIPROCESSING)
        done = python(*RUN, *words, method, cwd=tmp_path)
        assert (done.stdout, done.stderr) == ("gustnado.tornado gustnado.web.handler\n", "")

    @pytest.mark.parametrize(
        ("arguments", "name"), [("", "tornado"), ("children=False", "tornado"), ("children=True", "gustnado.tornado")]
    )
    def test_of_one_that_calls_install(self, arguments, name, python):
        code = f"import sys, gustnado.as_tornado\ngustnado.as_tornado.install({arguments})\n"
        assert python("-c", code + WAYS["subprocess"]).stdout == f"{name}\n"

    def test_with_an_environment_of_their_own(self, python):
        code = f"""if True:
            import gustnado.as_tornado, subprocess, sys
            for env in {{}}, gustnado.as_tornado.environment({{}}):
                subprocess.run([sys.executable, "-c", {WHICH!r}], env=env, check=True)
        """
        assert python(*RUN, "-c", code).stdout == "tornado\ngustnado.tornado\n"

    def test_not_where_the_command_line_says_so(self, python):
        for variables in {}, environment({}):
            done = python(*RUN, "--no-children", "-c", f"import sys\n{WHICH}\n{WAYS['subprocess']}", **variables)
            assert done.stdout == "gustnado.tornado\ntornado\n", done.stderr

    @pytest.mark.parametrize("option", ["-I", "-E", "-S"])
    def test_not_those_that_ignore_their_environment(self, option, python):
        child = f"[sys.executable, '{option}', '-c', 'import sys; print(sys.path)']"
        done = python(*RUN, "-c", f"import subprocess, sys; subprocess.run({child})")
        assert (done.stderr, done.returncode) == ("", 0)
        assert (STARTUP in done.stdout) == (option == "-S")  # where nobody imports sitecustomize

    def test_a_shell_can_make_the_environment(self, python, tmp_path):
        spaced = tmp_path / "a b"
        spaced.mkdir()
        done = python(*RUN, "--environment", PYTHONPATH=str(spaced))
        assert done.stdout.count("\n") == 1
        command = f"{done.stdout.strip()} {sys.executable} -c 'import sys; print(sys.path[1]); {WHICH}'"
        shown = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
        assert shown.stdout == f"{spaced}\ngustnado.tornado\n"
