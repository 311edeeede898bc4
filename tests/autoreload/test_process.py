from __future__ import annotations

import sys
import types

import pytest

from gustnado.autoreload import process
from gustnado.autoreload.process import start

START = """
import os, sys
from gustnado import autoreload
from gustnado.events import IOLoop
autoreload.start(check_time=50)
"""
WATCH = "from gustnado import autoreload; autoreload.watch('{}')\n"
SERVE = """
print("ready", flush=True)
IOLoop.current().start()
"""


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


class TestWait:
    def test_it_restarts_the_script(self, write, begin, mode):
        script = "from gustnado import autoreload\nprint('done', flush=True)\nautoreload.wait()"
        write("script.py", script)
        program = begin("script.py", mode=mode)
        count = iter(range(10**6))
        program.until_said("done", 2, lambda: write("script.py", script + "#" * next(count)))


class TestStart:
    def test_workers_do_not_watch(self, monkeypatch):
        monkeypatch.setattr(process, "task_id", lambda: 0)
        monkeypatch.setattr(process, "reloader", None)
        start()
        assert process.reloader is None

    def test_no_time_between_looks_is_refused(self):
        with pytest.raises(ValueError, match="check_time must be positive"):
            start(0)
