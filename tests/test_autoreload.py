"""Mostly real programs, whose files are rewritten while they run; both by file events and by polling."""

from __future__ import annotations

import http.client
import importlib.util
import os
import signal
import subprocess
import sys
import textwrap
import time
import types

import pytest

from gustnado import autoreload
from gustnado.errors import UsageError
from gustnado.events.loop import IOLoop
from gustnado.events.sockets import bind_sockets

DEADLINE = 30.0  # seconds; far above what anything here takes
WAITING = "waiting for a change"

START = """
import os, sys
from gustnado import autoreload
from gustnado.events import IOLoop
autoreload.start(check_time=50)
"""
WATCH = "from gustnado import autoreload; autoreload.watch('{}')\n"
HIDDEN = """
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "watchfiles" else find(name, package)
sys.modules.pop("watchfiles", None)
"""
SERVE = """
print("ready", flush=True)
IOLoop.current().start()
"""


class Program:
    """A program that runs in a directory of its own, and all that it has printed."""

    def __init__(self, directory, output, arguments, environment):
        self.directory = directory
        self.output = output
        with open(output, "wb") as stream:
            self.process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=directory,
                env=os.environ | environment,
                stdout=stream,
                stderr=stream,
            )

    def text(self):
        return self.output.read_text(encoding="utf-8")

    def until(self, condition, what=None):
        """Wait for a condition; do ``what`` before each look at it."""
        deadline = time.monotonic() + DEADLINE
        ended = False
        while not ended and time.monotonic() < deadline:
            if what is not None:
                what()
            ended = self.process.poll() is not None  # asked for first: it may say the words, and end
            if condition():
                return
            time.sleep(0.05)
        pytest.fail(f"{self.text()}\nexit status: {self.process.poll()}")

    def until_said(self, words, times=1, what=None):
        """Wait until the program has printed some words so many times."""
        self.until(lambda: self.text().count(words) >= times, what)

    def until_ended(self):
        """Wait until it has ended; its exit status."""
        return self.process.wait(DEADLINE)


@pytest.fixture(params=["events", "poll"])
def mode(request):
    if request.param == "events":
        pytest.importorskip("watchfiles")
    return request.param


@pytest.fixture
def write(tmp_path):
    """Writes a file of the program, dedented, at one stroke: none may start with half of it."""

    def write(name, text):
        path, draft = tmp_path / "program" / name, tmp_path / "draft"
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(textwrap.dedent(text), encoding="utf-8")
        draft.replace(path)
        return path

    return write


@pytest.fixture
def begin(tmp_path):
    """Starts Python with some arguments, in the directory of the files that ``write`` writes."""
    programs = []

    def begin(*arguments, mode="poll", **environment):
        output = tmp_path / f"output-{len(programs)}"
        environment = {"GUSTNADO_AUTORELOAD": mode, "PYTHONDONTWRITEBYTECODE": "1"} | environment
        programs.append(Program(tmp_path / "program", output, arguments, environment))
        return programs[-1]

    yield begin
    for program in programs:
        program.process.kill()
        program.process.wait()


class TestRestart:
    def test_an_edit_restarts(self, write, begin, mode):
        write("server.py", START + "print('one')" + SERVE)
        program = begin("server.py", mode=mode)
        program.until_said("ready")
        write("server.py", START + "print('the second')" + SERVE)
        program.until_said("ready", 2)
        write("server.py", START + "print('the third of them')" + SERVE)
        program.until_said("ready", 3)
        said = ["one", "ready", "the second", "ready", "the third of them", "ready"]
        assert program.text().splitlines() == said

    def test_an_edit_in_place(self, write, begin, mode):
        path = write("server.py", START + SERVE)
        program = begin("server.py", mode=mode)
        program.until_said("ready")
        with path.open("a", encoding="utf-8") as file:
            file.write("# changed")
        program.until_said("ready", 2)

    def test_an_edit_of_a_module(self, write, begin, mode):
        write("words.py", "WORD = 'breeze'")
        write("server.py", START + "import words; autoreload.start(); print(words.WORD)" + SERVE)
        program = begin("server.py", mode=mode)
        program.until_said("ready")
        # It was imported after the first look, and is watched soon.
        program.until_said("gale", what=lambda: write("words.py", "WORD = 'a gale'"))

    def test_a_module_that_is_imported_later(self, write, begin, mode):
        write("package/__init__.py", "")
        write("package/later.py", "print('later', flush=True)")
        serve = """
            from gustnado.events import PeriodicCallback

            def look():
                if os.path.exists("go"):
                    import package.later

            PeriodicCallback(look, 20).start()
        """
        write("server.py", START + textwrap.dedent(serve) + SERVE)
        program = begin("server.py", mode=mode)
        program.until_said("ready")
        write("go", "")
        program.until_said("later")
        count = iter(range(10**6))
        program.until_said("ready", 2, lambda: write("package/later.py", "print('new')" + "#" * next(count)))

    def test_it_is_the_same_program(self, write, begin):
        show = "print(os.getpid(), sys.argv, sys.flags.utf8_mode, os.environ['WORD'], os.getcwd(), __name__)"
        module = START + show + "\nprint(__spec__ and __spec__.name)\nos.chdir('/')" + SERVE
        for start in (["-m", "package"], ["package/__main__.py"], ["package"]):
            write("package/__main__.py", module)
            program = begin("-W", "error", "-X", "utf8", *start, "a b", "--c", WORD="ä")
            program.until_said("ready")
            first = program.text()
            write("package/__main__.py", module + "# changed")
            program.until_said("ready", 2)
            assert program.text() == 2 * first
            assert f"{program.process.pid} " in first
            program.process.kill()

    @pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
    def test_a_server_keeps_its_port_and_its_other_files_are_closed(self, write, begin, loop):
        if loop == "uvloop":
            pytest.importorskip("uvloop")
        with bind_sockets(0, "127.0.0.1")[0] as sock:
            port = sock.getsockname()[1]
        server = """
            from gustnado.web import Application, RequestHandler

            class Hello(RequestHandler):
                def get(self):
                    has_proc = os.path.isdir("/proc/self/fd")
                    descriptors = len(os.listdir("/proc/self/fd")) if has_proc else 0
                    self.write(f"WORD {descriptors} {os.getpid()}")

            Application([("/", Hello)], debug=True).listen(PORT, "127.0.0.1")
            kept = open(__file__)
        """
        server = START + textwrap.dedent(server).replace("PORT", str(port)) + SERVE

        def get():
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
            try:
                connection.request("GET", "/", headers={"Connection": "close"})
                return connection.getresponse().read().decode()
            finally:
                connection.close()

        write("server.py", server.replace("WORD", "breeze"))
        program = begin("server.py", GUSTNADO_LOOP=loop)
        program.until_said("ready")
        first = get()
        assert first.startswith("breeze")
        write("server.py", server.replace("WORD", "a gale"))
        program.until_said("ready", 2)
        assert get() == first.replace("breeze", "a gale")

    def test_hooks_are_called_before_in_order(self, write, begin):
        hooks = """
            autoreload.add_reload_hook(lambda: sys.stderr.write("first hook"))
            autoreload.add_reload_hook(lambda: 1 / 0)
            autoreload.add_reload_hook(lambda: sys.stderr.write("last hook"))
        """
        write("server.py", START + textwrap.dedent(hooks) + SERVE)
        program = begin("server.py")
        program.until_said("ready")
        write("server.py", START + SERVE)
        program.until_said("ready", 2)
        said = [program.text().index(words) for words in ("first hook", "ZeroDivisionError", "last hook")]
        assert said == sorted(said)

    def test_an_application_that_was_made_before_asyncio_run(self, write, begin):
        server = """
            import asyncio
            from gustnado.web import Application

            app = Application([], autoreload=True)

            async def main():
                app.listen(0, "127.0.0.1")
                print("ready", flush=True)
                await asyncio.Event().wait()

            asyncio.run(main())
        """
        server = textwrap.dedent(server)
        write("server.py", server)
        program = begin("server.py")
        program.until_said("ready")
        write("server.py", server + "# changed")
        program.until_said("ready", 2)

    def test_what_cannot_be_restarted_goes_on(self, write, begin):
        write("server.py", START + "sys.executable = 'nothing'" + SERVE)
        program = begin("server.py")
        program.until_said("ready")
        write("server.py", "")
        program.until_said("cannot restart: ")
        assert program.process.poll() is None

    def test_workers_do_not_watch(self, monkeypatch):
        monkeypatch.setattr(autoreload, "task_id", lambda: 0)
        monkeypatch.setattr(autoreload, "_reloader", None)
        autoreload.start()
        assert autoreload._reloader is None

    def test_windows_gets_a_new_process(self, monkeypatch):
        class Ended(Exception):
            pass

        def end(status):
            raise Ended(status)

        commands = []
        monkeypatch.setattr(sys, "platform", "win32")
        monkeypatch.setattr(subprocess, "Popen", commands.append)
        monkeypatch.setattr(os, "_exit", end)
        with pytest.raises(Ended, match="0"):
            autoreload._execute(["python", "a b.py"])
        assert commands == [["python", "a b.py"]]


class TestWatch:
    def test_a_file_that_is_no_module(self, write, begin, mode):
        write("settings.toml", "word = 1")
        write("server.py", START + "autoreload.watch('settings.toml'); autoreload.start()" + SERVE)
        program = begin("server.py", mode=mode)
        count = iter(range(10**6))
        program.until_said("ready", 2, lambda: write("settings.toml", "#" * next(count)))

    def test_a_file_that_appears(self, write, begin, mode):
        write("server.py", WATCH.format("new/deep/file") + START + SERVE)
        program = begin("server.py", mode=mode)
        program.until_said("ready")
        write("new/deep/file", "")
        program.until_said("ready", 2)

    def test_files_behind_symbolic_links(self, write, begin, mode, tmp_path):
        target = tmp_path / "elsewhere.txt"
        target.write_text("")
        write("server.py", WATCH.format("link") + START + SERVE)
        (tmp_path / "program/link").symlink_to(target)
        program = begin("server.py", mode=mode)
        program.until_said("ready")
        target.write_text("changed")
        program.until_said("ready", 2)

    def test_templates_that_are_kept(self, write, begin, mode):
        write("templates/deep/page.html", "breeze")
        application = "from gustnado.web import Application; Application([], autoreload=True, {})\n"
        server = START + application.format("template_path='templates'") + SERVE
        write("server.py", server)
        program = begin("server.py", mode=mode)
        program.until_said("ready")
        count = iter(range(10**6))
        program.until_said("ready", 2, lambda: write("templates/deep/page.html", "gale" + "!" * next(count)))

    def test_templates_that_are_read_anew_need_no_restart(self, monkeypatch):
        module = types.ModuleType("fake_autoreload")
        calls = []
        module.start = lambda: calls.append("start")
        module.watch = calls.append
        monkeypatch.setitem(sys.modules, "fake_autoreload", module)
        from gustnado.web import Application

        Application([], debug=True, autoreload_module="fake_autoreload", template_path="some")
        assert calls == ["start"]
        Application([], autoreload=True, autoreload_module="fake_autoreload", template_path="some")
        assert calls == ["start", "start", "some"]


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
        assert found.stdout == autoreload.HELP
        assert autoreload.MODE_VARIABLE in autoreload.HELP

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
        assert autoreload.main(arguments) == 2
        assert capsys.readouterr().err == f"python -m gustnado.autoreload: {words}; --help says more\n"


class TestWait:
    def test_it_restarts_the_script(self, write, begin, mode):
        script = "from gustnado import autoreload\nprint('done', flush=True)\nautoreload.wait()"
        write("script.py", script)
        program = begin("script.py", mode=mode)
        count = iter(range(10**6))
        program.until_said("done", 2, lambda: write("script.py", script + "#" * next(count)))


class TestMode:
    def test_a_program_ends_as_without(self, write, begin, mode):
        write("script.py", START + "print('done')")
        program = begin("-W", "error", "script.py", mode=mode)
        assert program.until_ended() == 0
        assert program.text() == "done\n"

    def test_without_watchfiles_it_polls(self, write, begin):
        server = HIDDEN + START + SERVE
        write("server.py", server)
        program = begin("server.py", mode="")
        program.until_said("ready")
        write("server.py", server + "# changed")
        program.until_said("ready", 2)

    def test_where_events_fail_it_polls(self, monkeypatch, expect_log):
        monkeypatch.setattr(autoreload, "import_object", lambda name: self.broken)
        reloader = autoreload._Reloader()
        monkeypatch.setattr(reloader, "poll", lambda seconds: "changed.py")
        asked = []
        monkeypatch.setattr(reloader, "_ask_for_reload", asked.append)
        with expect_log("gustnado.general", "no file events .too many.: looking every 0.5 s"):
            reloader._run(0.5, by_events=True)
        assert asked == ["changed.py"]

    @staticmethod
    def broken(*directories, **options):
        raise OSError("too many")

    def test_events_are_not_looked_for_between(self):
        """No look at any file where nothing has happened."""

        def watch(*directories, stop_event, **options):
            for events in ([], [], [], ["event"], [], []):
                yield set(events)
            stop_event.set()

        reloader = autoreload._Reloader()
        looks = []
        reloader.files.changed = lambda: looks.append(1)
        reloader.files.extent = lambda: (1, 1)
        assert reloader.wait_for_events(watch, 0.05) is None
        assert len(looks) == 2  # the first, and that for the event

    def test_watchfiles_does_not_log_each_event(self):
        autoreload._quiet("gustnado.test_quiet")
        logger = autoreload.logging.getLogger("gustnado.test_quiet")
        assert logger.level == autoreload.logging.WARNING
        logger.setLevel(autoreload.logging.DEBUG)
        autoreload._quiet("gustnado.test_quiet")
        assert logger.level == autoreload.logging.DEBUG

    def test_an_unknown_one_is_refused(self, monkeypatch):
        monkeypatch.setenv(autoreload.MODE_VARIABLE, "magic")
        with pytest.raises(UsageError, match="GUSTNADO_AUTORELOAD: 'magic' is neither 'events' nor 'poll'"):
            autoreload._by_events()

    def test_events_that_cannot_be_had_are_refused(self, monkeypatch):
        monkeypatch.setenv(autoreload.MODE_VARIABLE, "events")
        monkeypatch.delitem(sys.modules, "watchfiles", raising=False)
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
        with pytest.raises(UsageError, match=r"pip install 'gustnado\[reload\]'"):
            autoreload._by_events()

    def test_no_time_between_looks_is_refused(self):
        with pytest.raises(ValueError, match="check_time must be positive"):
            autoreload.start(0)


class TestReloader:
    def test_a_change_before_the_loop_was_known_is_not_lost(self, monkeypatch):
        reloader = autoreload._Reloader()
        monkeypatch.setattr(reloader, "reload", lambda: loop.stop())
        loop = IOLoop(make_current=False)
        reloader._changed = "changed.py"
        reloader.start(0.05, loop)
        loop.start()  # ends
        loop.close()
        assert reloader._thread is None


class TestFiles:
    @pytest.fixture
    def files(self, monkeypatch):
        files = autoreload._Files()
        monkeypatch.setattr(files, "_module_paths", lambda: iter(()))
        return files

    def test_own_modules_are_watched_and_no_others(self):
        files = autoreload._Files()
        paths = set(files._module_paths())
        assert os.path.abspath(__file__) in paths
        assert not {os.__file__, pytest.__file__, textwrap.__file__} & paths

    def test_modules_of_odd_kinds(self, monkeypatch, tmp_path):
        def module(name, **names):
            found = types.ModuleType(name)
            vars(found).update(names)
            monkeypatch.setitem(sys.modules, name, found)

        class Lazy(types.ModuleType):
            def __getattribute__(self, name):
                raise AssertionError(f"{name} was asked for")

        module("odd_none", __file__=None)
        module("odd_number", __file__=7)
        module("odd_bytecode", __file__=str(tmp_path / "a.pyc"))
        module("odd_null", __file__="a\0b")
        monkeypatch.setitem(sys.modules, "odd_lazy", Lazy("odd_lazy"))
        monkeypatch.setitem(sys.modules, "odd_object", object())
        monkeypatch.setitem(sys.modules, "odd_missing", None)
        files = autoreload._Files()
        assert files.changed() is None
        assert str(tmp_path / "a.py") in set(files._module_paths())

    def test_the_first_look_takes_all_as_it_is(self, files, tmp_path):
        path = tmp_path / "a"
        path.write_text("one")
        files.add(path)
        assert [files.changed(), files.changed()] == [None, None]
        path.write_text("the second")
        assert files.changed() == str(path)

    def test_one_that_goes_has_not_changed_and_may_come_back(self, files, tmp_path):
        path = tmp_path / "a"
        path.write_text("one")
        files.add(path)
        files.changed()
        status = path.stat()
        path.unlink()
        assert files.changed() is None
        path.write_text("one")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert files.changed() is None
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))
        assert files.changed() == str(path)

    def test_one_that_appears_has_changed(self, files, tmp_path):
        files.add(tmp_path / "deep" / "a")
        assert files.changed() is None
        assert files.directories() == {str(tmp_path)}
        (tmp_path / "deep").mkdir()
        assert files.changed() is None
        assert files.directories() == {str(tmp_path / "deep")}
        (tmp_path / "deep" / "a").touch()
        assert files.changed() == str(tmp_path / "deep" / "a")

    def test_of_a_directory_all_but_hidden_files(self, files, tmp_path):
        (tmp_path / "deep").mkdir()
        (tmp_path / "__pycache__").mkdir()
        names = ["a", "deep/b", ".a.swp", "a~", "__pycache__/c"]
        for name in names:
            (tmp_path / name).write_text("one")
        files.add(tmp_path)
        files.changed()
        assert files.directories() == {str(tmp_path), str(tmp_path / "deep")}
        for name in names[2:]:
            (tmp_path / name).write_text("changed")
        (tmp_path / "new").write_text("new")
        assert files.changed() is None
        (tmp_path / "deep/b").write_text("changed")
        assert files.changed() == str(tmp_path / "deep/b")

    def test_something_new_to_watch_is_noticed(self, files, monkeypatch):
        before = files.extent()
        files.add("a")
        named = files.extent()
        monkeypatch.setitem(sys.modules, "a_new_module", types.ModuleType("a_new_module"))
        assert len({before, named, files.extent()}) == 3
