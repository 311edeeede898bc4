"""The formatter, and what the logging options do."""

from __future__ import annotations

import logging
import logging.handlers
import re
import subprocess
import sys
import types

import pytest

from gustnado import log
from gustnado.log import LogFormatter, define_logging_options, enable_pretty_logging
from gustnado.options import OptionParser


def make_record(message="hello", *args, level=logging.ERROR, exc_info=None, stack=None):
    return logging.LogRecord("test", level, "/srv/shop.py", 12, message, args, exc_info, sinfo=stack)


@pytest.fixture
def formatter():
    """Pretends to be on a terminal with a colour for errors."""
    formatter = LogFormatter(color=False)
    formatter._colors = {logging.ERROR: "\x01"}
    formatter._normal = "\x02"
    return formatter


class Terminal:
    def isatty(self):
        return True


def fake_curses(colors, **strings):
    capabilities = {"setaf": b"<%d>", "sgr0": b"<->", **strings}
    return types.SimpleNamespace(
        setupterm=lambda: None,
        tigetnum=lambda name: colors,
        tigetstr=capabilities.get,
        tparm=lambda sequence, code: sequence % code if sequence else b"",
    )


class TestLoggers:
    def test_names(self):
        assert [logger.name for logger in (log.access_log, log.app_log, log.gen_log)] == [
            "gustnado.access",
            "gustnado.application",
            "gustnado.general",
        ]

    def test_importing_configures_nothing_and_loads_nothing_slow(self):
        program = (
            "import sys, logging, gustnado.log, gustnado.options\n"
            "assert not logging.getLogger().handlers\n"
            "print(sorted({'curses', 'logging.handlers', 'socket', 'asyncio'} & set(sys.modules)))"
        )
        assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"


class TestLogFormatter:
    def test_a_line(self, formatter):
        line = formatter.format(make_record("hello %s", "world"))
        assert re.fullmatch(r"\x01\[E \d{6} \d\d:\d\d:\d\d shop:12\]\x02 hello world", line)

    def test_a_level_without_colour(self, formatter):
        assert formatter.format(make_record(level=logging.INFO)).startswith("[I ")

    def test_lines_of_one_record_are_indented(self, formatter):
        assert formatter.format(make_record("a\nb")).endswith("a\n    b")

    def test_a_traceback_follows(self, formatter):
        try:
            raise ValueError(b"\xe9")
        except ValueError:
            record = make_record("failed", exc_info=sys.exc_info())
        lines = formatter.format(record).split("\n")
        assert lines[0].endswith("failed")
        assert lines[1] == "    Traceback (most recent call last):"
        assert lines[-1] == r"    ValueError: b'\xe9'"
        assert formatter.format(record).split("\n") == lines  # from the record's cache

    def test_a_stack_follows(self, formatter):
        assert formatter.format(make_record("here", stack="Stack:\n  f")).endswith(
            "here\n    Stack:\n      f"
        )

    def test_a_message_that_does_not_fit_is_shown_all_the_same(self, formatter):
        line = formatter.format(make_record("%d items", "many"))
        assert "cannot be formatted" in line
        assert "'many'" in line

    def test_a_message_whose_argument_fails(self, formatter):
        class Bad:
            def __str__(self):
                raise RuntimeError("no text")

        assert "no text" in formatter.format(make_record("%s", Bad()))

    def test_anything_can_be_logged(self, formatter):
        assert formatter.format(make_record(b"\xe9")).endswith(r"b'\xe9'")
        assert formatter.format(make_record("\xe9\u20ac")).endswith("\xe9\u20ac")

    @pytest.mark.parametrize(
        ("style", "form"), [("%", "%(message)s!"), ("{", "{message}!"), ("$", "${message}!")]
    )
    def test_styles(self, style, form):
        assert LogFormatter(form, style=style, color=False).format(make_record()) == "hello!"

    def test_colours_on_a_terminal_only(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "curses", fake_curses(8))
        monkeypatch.delitem(sys.modules, "colorama", raising=False)
        monkeypatch.setattr(sys, "stderr", Terminal())
        assert LogFormatter("%(color)s%(message)s%(end_color)s").format(make_record()) == "<1>hello<->"
        assert not LogFormatter(color=False)._colors
        assert LogFormatter(colors={logging.ERROR: 9})._colors == {logging.ERROR: "<9>"}
        monkeypatch.setattr(sys, "stderr", object())
        assert not LogFormatter()._colors

    def test_a_terminal_without_colours(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "curses", fake_curses(-1))
        monkeypatch.delitem(sys.modules, "colorama", raising=False)
        monkeypatch.setattr(sys, "stderr", Terminal())
        assert not LogFormatter()._colors

    def test_a_terminal_that_lacks_capabilities(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "curses", fake_curses(8, setaf=None, sgr0=None))
        monkeypatch.delitem(sys.modules, "colorama", raising=False)
        monkeypatch.setattr(sys, "stderr", Terminal())
        assert LogFormatter().format(make_record()).startswith("[E ")

    def test_colorama_without_curses(self, monkeypatch):
        terminal = Terminal()
        initialise = types.SimpleNamespace(wrapped_stderr=terminal)
        monkeypatch.setitem(sys.modules, "curses", None)
        monkeypatch.setitem(sys.modules, "colorama", types.SimpleNamespace(initialise=initialise))
        monkeypatch.setattr(sys, "stderr", terminal)
        assert LogFormatter("%(color)s.%(end_color)s").format(make_record()) == "\033[2;31m.\033[0m"
        initialise.wrapped_stderr = None
        assert not LogFormatter()._colors


@pytest.fixture
def options():
    options = OptionParser()
    define_logging_options(options)
    return options


@pytest.fixture
def logger():
    logger = logging.Logger("apart")  # noqa: LOG001  (of no hierarchy, so that nothing else hears of it)
    yield logger
    for handler in logger.handlers:
        handler.close()


class TestEnablePrettyLogging:
    def test_to_stderr_by_default(self, options, logger):
        enable_pretty_logging(options, logger)
        assert logger.level == logging.INFO
        assert [type(handler) for handler in logger.handlers] == [logging.StreamHandler]
        assert isinstance(logger.handlers[0].formatter, LogFormatter)

    def test_not_to_stderr_if_something_takes_the_log_already(self, options, logger):
        logger.addHandler(logging.NullHandler())
        enable_pretty_logging(options, logger)
        assert len(logger.handlers) == 1
        options.log_to_stderr = True
        enable_pretty_logging(options, logger)
        assert len(logger.handlers) == 2

    def test_not_to_stderr_if_told_so(self, options, logger):
        options.log_to_stderr = False
        enable_pretty_logging(options, logger)
        assert logger.handlers == []

    @pytest.mark.parametrize("level", ["none", "None", None])
    def test_none_leaves_all_alone(self, options, logger, level):
        options.logging = level
        enable_pretty_logging(options, logger)
        assert logger.handlers == []
        assert logger.level == logging.NOTSET

    def test_level(self, options, logger):
        options.logging = "warning"
        enable_pretty_logging(options, logger)
        assert logger.level == logging.WARNING

    @pytest.mark.parametrize("mode", ["size", "time"])
    def test_to_a_file(self, options, logger, tmp_path, mode):
        options.log_file_prefix = str(tmp_path / "shop.log")
        options.log_rotate_mode = mode
        enable_pretty_logging(options, logger)
        logger.error("h\u20acllo")
        (handler,) = logger.handlers
        handler.flush()
        assert re.fullmatch(r"\[E [^]]*\] h\u20acllo\n", (tmp_path / "shop.log").read_text("utf-8"))

    def test_rotation_by_size(self, options, logger, tmp_path):
        options.log_file_prefix = str(tmp_path / "shop.log")
        options.log_file_max_size, options.log_file_num_backups = 200, 2
        enable_pretty_logging(options, logger)
        for _ in range(10):
            logger.error("x" * 100)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["shop.log", "shop.log.1", "shop.log.2"]

    def test_rotation_by_time(self, options, logger, tmp_path):
        options.log_file_prefix = str(tmp_path / "shop.log")
        options.log_rotate_mode, options.log_rotate_when, options.log_rotate_interval = "time", "H", 2
        enable_pretty_logging(options, logger)
        (handler,) = logger.handlers
        assert isinstance(handler, logging.handlers.TimedRotatingFileHandler)
        assert (handler.interval, handler.backupCount) == (7200, 10)

    def test_an_unknown_way_of_rotation(self, options, logger):
        options.log_file_prefix = "shop.log"
        options.log_rotate_mode = "mood"
        with pytest.raises(ValueError, match="'mood'"):
            enable_pretty_logging(options, logger)

    def test_the_root_logger_and_the_global_options_by_default(self, logger, monkeypatch):
        monkeypatch.setattr(logging, "getLogger", lambda: logger)
        enable_pretty_logging()
        assert logger.level == logging.INFO
        assert len(logger.handlers) == 1


class TestInAProgram:
    """What a command line does to logging, in processes of their own: it is the root logger."""

    @pytest.mark.parametrize(
        ("statement", "args", "logs"),
        [
            ("pass", [], False),
            ("parse_command_line()", [], True),
            ("parse_command_line()", ["--logging=none"], False),
            ("parse_command_line()", ["--logging=error"], False),
            ("options.logging = None; parse_command_line()", [], False),
            ("options.logging = None; parse_command_line()", ["--logging=info"], True),
            ("from gustnado.log import enable_pretty_logging; enable_pretty_logging()", [], True),
        ],
    )
    def test_whether_it_logs(self, statement, args, logs):
        program = (
            "import logging; from gustnado.options import options, parse_command_line\n"
            f"{statement}\nlogging.info('hello')"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, *args], capture_output=True, text=True, check=True
        )
        assert ("hello" in done.stderr) is logs

    def test_the_global_options_have_them(self):
        with pytest.raises(Exception, match="already defined"):
            define_logging_options()
