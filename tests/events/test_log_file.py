from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import threading

import pytest

from gustnado.events import log_file as module
from gustnado.events.log_file import FLUSH_AFTER, LogFile


@pytest.fixture
def path(tmp_path):
    return tmp_path / "access.log"


@pytest.fixture
def log(path):
    opened = LogFile(path)
    yield opened
    opened.close()


def test_lines_are_appended_to_what_is_there(path, log) -> None:
    path.write_text("before\n")
    for number in range(3):
        log.write(f"line {number}")
    log.close()
    assert path.read_text() == "before\nline 0\nline 1\nline 2\n"


def test_the_file_is_no_business_of_others(path, log) -> None:
    assert path.stat().st_mode & 0o007 == 0


def test_in_a_loop_lines_leave_together_and_soon(run, path, log) -> None:
    async def main() -> None:
        log.write("first")
        log.write("second")
        assert log._thread is None
        loop = asyncio.get_running_loop()
        deadline = loop.time() + 30
        while path.read_text() != "first\nsecond\n":
            assert loop.time() < deadline
            await asyncio.sleep(FLUSH_AFTER / 10)

    run(main())


def test_many_lines_do_not_wait(run, path, log) -> None:
    async def main() -> None:
        for number in range(256):
            log.write(str(number))
        assert not log._lines

    run(main())
    log.close()
    assert path.read_text().split() == [str(number) for number in range(256)]


def test_what_is_no_unicode_is_escaped(path, log) -> None:
    log.write("\udcff é")
    log.close()
    assert path.read_text("utf-8") == "\\udcff é\n"


def test_after_rotation_lines_go_to_the_new_file(path, log) -> None:
    log.write("old")
    moved = path.rename(path.with_suffix(".1"))
    log.write("still old")
    log.reopen()
    log.write("new")
    log.close()
    assert moved.read_text() == "old\nstill old\n"
    assert path.read_text() == "new\n"


def test_where_reopening_fails_it_goes_on_with_the_old_file(tmp_path, expect_log) -> None:
    directory = tmp_path / "logs"
    directory.mkdir()
    log = LogFile(directory / "a.log")
    moved = directory.rename(tmp_path / "moved")
    with expect_log("gustnado.general", "cannot be written.*No such file"):
        log.reopen()
        log.write("line")
        log.close()
    assert (moved / "a.log").read_text() == "line\n"


def test_a_file_that_cannot_be_opened_is_an_error_at_once(tmp_path) -> None:
    with pytest.raises(FileNotFoundError):
        LogFile(tmp_path / "missing" / "a.log")


def test_a_full_disk_costs_lines_and_is_told_once(path, log, expect_log, monkeypatch) -> None:
    full = threading.Event()
    full.set()
    write = os.write

    def failing(fd, data):
        if full.is_set():
            raise OSError(28, "No space left on device")
        return write(fd, data)

    monkeypatch.setattr(os, "write", failing)
    with expect_log("gustnado.general", "lines are lost.*No space left", count=1):
        log.write("lost")
        log.write("lost")
        log._queue.put(b"")  # which is done after the lines
        while log._done < len("lost\n" * 2) or not log._queue.empty():
            threading.Event().wait(0.001)
        full.clear()
        log.write("kept")
        log.close()
    assert path.read_text() == "kept\n"


def test_writes_that_the_system_cuts_short_are_completed(path, log, monkeypatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, bytes(data[:3])))
    log.write("a line of some length")
    log.close()
    assert path.read_text() == "a line of some length\n"


def test_a_disk_that_cannot_follow_bounds_memory(path, log, expect_log, monkeypatch) -> None:
    going_on = threading.Event()
    append = log._append

    def slow(batch):
        assert going_on.wait(30)
        append(batch)

    monkeypatch.setattr(log, "_append", slow)
    monkeypatch.setattr(module, "MOST_QUEUED", 100)
    with expect_log("gustnado.general", "the disk cannot follow"):
        for number in range(100):
            log.write(f"line {number:4}")
    assert log._queued <= 100
    with expect_log("gustnado.general", "90 lines were dropped"):
        going_on.set()
        log.close()
    assert path.read_text().count("\n") == 10


def test_closing_twice_and_writing_afterwards_do_nothing(path, log) -> None:
    log.write("line")
    log.close()
    log.close()
    log.write("late")
    log.flush()
    log.reopen()
    assert path.read_text() == "line\n"


PROGRAM = """
    import asyncio, os, sys
    from gustnado.events.log_file import LogFile

    async def main(log, name):
        for number in range(500):
            log.write(f"{name} {number}")

    log = LogFile(sys.argv[1])
    pid = os.fork()
    asyncio.run(main(log, "parent" if pid else "child"))
    if pid:
        os.waitpid(pid, 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_python_s_end_loses_nothing_and_processes_share_a_file(path) -> None:
    subprocess.run([sys.executable, "-c", textwrap.dedent(PROGRAM), path], check=True, timeout=60)
    lines = path.read_text().splitlines()
    for name in ("parent", "child"):
        assert [line for line in lines if line.startswith(name)] == [f"{name} {n}" for n in range(500)]


def test_standard_output_is_a_target_that_stays_open() -> None:
    program = """
        import sys
        from gustnado.events.log_file import LogFile
        log = LogFile("-")
        log.write("one")
        log.reopen()
        log.close()
        print("two")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "one\ntwo\n"
