from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from benchmarks import cpu

STAT = "77 (a (strange) name) S 12 77 77 0 -1 4194304 900 0 0 0 250 50 7 8 20 0 1 0 100 9 9"


def write_thread(proc: Path, pid: int, tid: int, *, schedstat: str | None, stat: str = STAT) -> None:
    thread = proc / str(pid) / "task" / str(tid)
    thread.mkdir(parents=True)
    (thread / "stat").write_text(stat)
    (proc / str(pid) / "stat").write_text(stat)
    if schedstat is not None:
        (thread / "schedstat").write_text(schedstat)


def test_the_parent_is_read_past_a_name_with_blanks_and_parentheses():
    assert cpu.parent_of(STAT) == 12


def test_ticks_are_user_and_kernel_time_of_the_process_itself():
    assert cpu.ticks_of(STAT) == 300


def test_a_tree_holds_children_and_their_children_but_no_strangers(tmp_path):
    for pid, parent in ((10, 1), (11, 10), (12, 11), (13, 1)):
        write_thread(tmp_path, pid, pid, schedstat="1 0 0", stat=f"{pid} (x) S {parent} 0")
    assert cpu.descendants(10, proc=tmp_path) == [10, 11, 12]


def test_nanoseconds_of_all_threads_are_read_from_schedstat(tmp_path):
    write_thread(tmp_path, 10, 10, schedstat="5000 17 3\n")
    write_thread(tmp_path, 10, 11, schedstat="700 17 3\n")
    assert cpu.read_tree(10, proc=tmp_path) == {(10, 10): 5000, (10, 11): 700}


def test_without_schedstat_clock_ticks_are_counted(tmp_path):
    write_thread(tmp_path, 10, 10, schedstat=None)
    assert cpu.read_tree(10, proc=tmp_path) == {(10, 10): 300 * cpu.NANOSECONDS_PER_TICK}


def test_a_process_that_is_gone_is_an_error(tmp_path):
    with pytest.raises(ProcessLookupError, match="10 is gone"):
        cpu.read_tree(10, proc=tmp_path)


def test_a_thread_born_in_between_counts_in_full_and_one_that_ended_is_told():
    before = {(1, 1): 100, (1, 2): 50}
    after = {(1, 1): 130, (1, 3): 20}
    assert cpu.spent_between(before, after) == 50
    assert cpu.lost_between(before, after) == 1


def test_work_of_a_child_process_is_charged_to_the_tree():
    before = cpu.read_tree(os.getpid())
    busy = "import time\nwhile time.process_time() < 0.2: pass\nprint(flush=True)\ninput()"
    child = subprocess.Popen([sys.executable, "-c", busy], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    after = cpu.read_tree(os.getpid())
    child.communicate(b"\n")
    assert cpu.spent_between(before, after) > 150_000_000


def test_real_time_spent_here_is_close_to_what_the_clock_of_the_process_says():
    before, start = cpu.read_tree(os.getpid()), time.process_time_ns()
    while time.process_time_ns() - start < 100_000_000:
        pass
    after = cpu.read_tree(os.getpid())
    assert cpu.spent_between(before, after) >= 90_000_000
