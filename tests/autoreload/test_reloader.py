from __future__ import annotations

import http.client
import importlib.util
import os
import subprocess
import sys
import textwrap

import pytest

from gustnado.autoreload import reloader as reloader_module
from gustnado.autoreload.reloader import MODE_VARIABLE, Reloader
from gustnado.errors import UsageError
from gustnado.events.loop import IOLoop
from gustnado.events.sockets import bind_sockets

DEADLINE = 100.0  # seconds; far above what anything here takes

START = """
import os, sys
from gustnado import autoreload
from gustnado.events import IOLoop
autoreload.start(check_time=50)
"""
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


def get(port):
    """The body of the answer to ``GET /``."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    try:
        connection.request("GET", "/", headers={"Connection": "close"})
        return connection.getresponse().read().decode()
    finally:
        connection.close()


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

        write("server.py", server.replace("WORD", "breeze"))
        program = begin("server.py", GUSTNADO_LOOP=loop)
        program.until_said("ready")
        first = get(port)
        assert first.startswith("breeze")
        write("server.py", server.replace("WORD", "a gale"))
        program.until_said("ready", 2)
        assert get(port) == first.replace("breeze", "a gale")

    def test_inherited_sockets_stay_open(self, write, begin):
        """Those of systemd: descriptors from 3 on, meant for the process of that number, which stays the same."""
        server = """
            from gustnado.events import systemd_sockets
            from gustnado.web import Application, RequestHandler

            class Hello(RequestHandler):
                def get(self):
                    self.write("WORD")

            server = Application([("/", Hello)], debug=True).listen(0, "127.0.0.1")
            server.add_sockets(systemd_sockets("web"))
            print(os.get_inheritable(3))
        """
        launcher = """
            import os, sys

            os.dup2(int(sys.argv[1]), 3)
            os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="web")
            os.execv(sys.executable, [sys.executable, "server.py"])
        """
        server = START + textwrap.dedent(server) + SERVE
        write("launcher.py", launcher)
        write("server.py", server.replace("WORD", "breeze"))
        (sock,) = bind_sockets(0, "127.0.0.1")
        port = sock.getsockname()[1]
        sock.set_inheritable(True)
        program = begin("launcher.py", str(sock.fileno()), pass_fds=[sock.fileno()])
        sock.close()
        program.until_said("ready")
        assert get(port) == "breeze"
        write("server.py", server.replace("WORD", "a gale"))
        program.until_said("ready", 2)
        assert get(port) == "a gale"

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
            reloader_module._execute(["python", "a b.py"])
        assert commands == [["python", "a b.py"]]


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
        monkeypatch.setattr(reloader_module, "import_object", lambda name: self.broken)
        reloader = Reloader()
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

        reloader = Reloader()
        looks = []
        reloader.files.changed = lambda: looks.append(1)
        reloader.files.extent = lambda: (1, 1)
        assert reloader.wait_for_events(watch, 0.05) is None
        assert len(looks) == 2  # the first, and that for the event

    def test_watchfiles_does_not_log_each_event(self):
        reloader_module._quiet("gustnado.test_quiet")
        logger = reloader_module.logging.getLogger("gustnado.test_quiet")
        assert logger.level == reloader_module.logging.WARNING
        logger.setLevel(reloader_module.logging.DEBUG)
        reloader_module._quiet("gustnado.test_quiet")
        assert logger.level == reloader_module.logging.DEBUG

    def test_an_unknown_one_is_refused(self, monkeypatch):
        monkeypatch.setenv(MODE_VARIABLE, "magic")
        with pytest.raises(UsageError, match="GUSTNADO_AUTORELOAD: 'magic' is neither 'events' nor 'poll'"):
            reloader_module._by_events()

    def test_events_that_cannot_be_had_are_refused(self, monkeypatch):
        monkeypatch.setenv(MODE_VARIABLE, "events")
        monkeypatch.delitem(sys.modules, "watchfiles", raising=False)
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
        with pytest.raises(UsageError, match=r"pip install 'gustnado\[reload\]'"):
            reloader_module._by_events()


class TestReloader:
    def test_a_change_before_the_loop_was_known_is_not_lost(self, monkeypatch):
        reloader = Reloader()
        monkeypatch.setattr(reloader, "reload", lambda: loop.stop())
        loop = IOLoop(make_current=False)
        reloader._changed = "changed.py"
        reloader.start(0.05, loop)
        loop.start()  # ends
        loop.close()
        assert reloader._thread is None
