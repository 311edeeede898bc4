from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
import threading

import pytest

from gustnado.errors import UsageError
from gustnado.events.loop import AsyncIOLoop, AsyncIOMainLoop, BaseAsyncIOLoop, IOLoop
from gustnado.events.loop_choice import LOOP_VARIABLE, loop_factory
from gustnado.events.stream import IOStream
from gustnado.events.yieldables import BadYieldError


@pytest.fixture(autouse=True)
def no_current_loop(monkeypatch):
    """Each test begins and ends without any loop."""
    monkeypatch.delenv(LOOP_VARIABLE, raising=False)
    saved = IOLoop._save_configuration()
    clear()
    yield
    clear()
    IOLoop._restore_configuration(saved)


def clear():
    for loop in list(IOLoop._ioloop_for_asyncio.values()):
        loop.close()
    IOLoop._main = None
    asyncio.set_event_loop(None)


@pytest.fixture(params=["asyncio", "uvloop"])
def loop(request):
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    io_loop = IOLoop(asyncio_loop=loop_factory(request.param)(), make_current=False)
    yield io_loop
    io_loop.close()


def in_thread(function):
    result = []
    thread = threading.Thread(target=lambda: result.append(function()))
    thread.start()
    thread.join()
    return result[0]


class TestWhichLoop:
    def test_current_is_made_once_and_made_current(self):
        assert IOLoop.current(instance=False) is None
        assert not IOLoop.initialized()
        loop = IOLoop.current()
        assert loop is IOLoop.current() is IOLoop.current(instance=False)
        assert isinstance(loop, AsyncIOMainLoop)
        assert IOLoop.initialized()

    def test_current_inside_a_running_loop_is_its_own(self, run):
        async def main():
            loop = IOLoop.current()
            assert loop.asyncio_loop is asyncio.get_running_loop()
            assert IOLoop.current() is loop

        run(main())
        assert IOLoop.current(instance=False) is None

    def test_a_started_loop_is_current_while_it_runs(self, loop):
        seen = []
        loop.add_callback(lambda: seen.append(IOLoop.current()))
        loop.add_callback(loop.stop)
        loop.start()
        assert seen == [loop]
        assert IOLoop.current(instance=False) is None

    def test_current_wraps_what_asyncio_has_set(self):
        asyncio_loop = asyncio.new_event_loop()
        asyncio.set_event_loop(asyncio_loop)
        assert IOLoop.current(instance=False) is None
        assert IOLoop.current().asyncio_loop is asyncio_loop
        IOLoop.current().close()

    def test_a_closed_current_loop_is_replaced(self):
        first = IOLoop.current()
        first.close()
        assert IOLoop.current() is not first

    def test_a_loop_closed_by_asyncio_is_replaced_and_forgotten(self):
        first = IOLoop.current()
        first.asyncio_loop.close()
        assert not IOLoop.initialized()
        assert IOLoop.current() is not first
        assert first not in IOLoop._ioloop_for_asyncio.values()

    def test_a_constructed_loop_is_current_unless_told_otherwise(self):
        loop = IOLoop(make_current=False)
        assert isinstance(loop, AsyncIOLoop)
        assert IOLoop.current(instance=False) is None
        loop.close()
        loop = IOLoop()
        assert IOLoop.current() is loop

    def test_closing_brings_the_previous_loop_back(self):
        outer = IOLoop()
        inner = IOLoop()
        assert IOLoop.current() is inner
        inner.close()
        assert IOLoop.current() is outer
        outer.close()
        assert IOLoop.current(instance=False) is None

    def test_make_current_and_clear_current(self):
        loop = IOLoop(make_current=False)
        loop.make_current()
        assert IOLoop.current() is loop
        IOLoop.clear_current()
        assert IOLoop.current(instance=False) is None
        IOLoop.clear_current()
        loop.close()

    def test_instance_is_current_in_the_main_thread(self):
        assert IOLoop.instance() is IOLoop.current() is IOLoop.instance()

    def test_instance_is_the_main_threads_from_any_thread(self):
        main = IOLoop.instance()
        assert in_thread(IOLoop.instance) is main

    def test_instance_may_be_made_by_another_thread(self):
        made = in_thread(IOLoop.instance)
        assert in_thread(IOLoop.instance) is made
        assert IOLoop.current() is made

    def test_current_in_a_thread_is_that_threads_own(self):
        main = IOLoop.current()

        def make():
            loop = IOLoop.current()
            same = IOLoop.current() is loop
            loop.close()
            return loop, same

        loop, same = in_thread(make)
        assert same
        assert loop is not main

    def test_instance_is_the_running_main_loop(self, run):
        async def main():
            here = IOLoop.instance()
            assert here.asyncio_loop is asyncio.get_running_loop()
            assert await here.run_in_executor(None, IOLoop.instance) is here

        run(main())

    def test_install_and_clear_instance(self):
        loop = IOLoop(make_current=False)
        loop.install()
        assert IOLoop.instance() is loop
        IOLoop.clear_instance()
        assert IOLoop.instance() is not loop
        loop.close()

    def test_one_asyncio_loop_has_one_ioloop(self):
        asyncio_loop = asyncio.new_event_loop()
        loop = IOLoop(asyncio_loop=asyncio_loop, make_current=False)
        with pytest.raises(RuntimeError, match="already"):
            IOLoop(asyncio_loop=asyncio_loop, make_current=False)
        assert not asyncio_loop.is_closed()
        loop.close()

    def test_the_main_loop_class_takes_the_current_loop(self):
        asyncio_loop = asyncio.new_event_loop()
        asyncio.set_event_loop(asyncio_loop)
        loop = AsyncIOMainLoop()
        assert loop.asyncio_loop is asyncio_loop
        loop.close()
        made = AsyncIOMainLoop()
        assert IOLoop.current() is made

    def test_closed_loops_do_not_pile_up(self):
        for _ in range(5):
            asyncio_loop = asyncio.new_event_loop()
            asyncio_loop.call_soon(IOLoop.current)
            asyncio_loop.call_soon(asyncio_loop.stop)
            asyncio_loop.run_forever()
            asyncio_loop.close()
        IOLoop.current()
        assert len(IOLoop._ioloop_for_asyncio) == 1


class TestConfigure:
    def test_the_default_is_the_best(self):
        IOLoop.configure(None)
        uvloop = pytest.importorskip("uvloop")
        assert isinstance(IOLoop.current().asyncio_loop, uvloop.Loop)

    @pytest.mark.parametrize(
        "choice", ["asyncio", "selector", "asyncio.SelectorEventLoop", asyncio.SelectorEventLoop]
    )
    def test_names_paths_and_classes_of_asyncio_loops(self, choice):
        IOLoop.configure(choice)
        assert isinstance(IOLoop.current().asyncio_loop, asyncio.SelectorEventLoop)
        loop = IOLoop(make_current=False)
        assert isinstance(loop.asyncio_loop, asyncio.SelectorEventLoop)

    def test_classes_of_ioloops(self):
        class Mine(AsyncIOLoop):
            pass

        IOLoop.configure(Mine)
        assert isinstance(IOLoop(), Mine)
        IOLoop.configure("gustnado.events.loop.AsyncIOLoop")
        assert type(IOLoop()) is AsyncIOLoop
        assert IOLoop.configured_class() is AsyncIOLoop
        assert issubclass(AsyncIOLoop, BaseAsyncIOLoop)

    def test_an_unknown_name_is_an_error(self):
        with pytest.raises(UsageError, match="unknown event loop 'fastest'"):
            IOLoop.configure("fastest")

    def test_the_environment_overrides(self, monkeypatch):
        monkeypatch.setenv(LOOP_VARIABLE, "selector")
        IOLoop.configure("uvloop")
        assert isinstance(IOLoop.current().asyncio_loop, asyncio.SelectorEventLoop)


class TestLife:
    def test_the_main_loop_says_once_what_runs(self, caplog):
        caplog.set_level(logging.INFO)
        IOLoop.configure("selector")
        loop = IOLoop.instance()
        for _ in range(2):
            loop.add_callback(loop.stop)
            loop.start()
        lines = [record.getMessage() for record in caplog.records if record.name == "gustnado.general"]
        assert len(lines) == 1
        assert lines[0].startswith("event loop: asyncio (")

    def test_other_loops_say_it_to_those_who_debug(self, caplog):
        caplog.set_level(logging.DEBUG)
        loop = IOLoop(make_current=False)
        loop.add_callback(loop.stop)
        loop.start()
        (record,) = [record for record in caplog.records if record.name == "gustnado.general"]
        assert record.levelno == logging.DEBUG

    def test_stop_before_start_makes_it_return_at_once(self, loop):
        loop.stop()
        loop.start()
        assert not loop.asyncio_loop.is_running()

    def test_what_was_written_before_stop_leaves(self, loop):
        ours, theirs = socket.socketpair()
        stream = IOStream(ours, io_loop=loop)

        def say() -> None:
            stream.write(b"a")
            stream.write(b"b")  # gathered, to leave at the end of the turn
            loop.stop()

        # The first opens the stream, which takes as many turns as it takes.
        loop.add_callback(lambda: loop.add_future(stream.write(b"0"), lambda _: say()))
        loop.start()
        theirs.settimeout(5)
        received = b""
        while len(received) < 3:
            received += theirs.recv(3)
        assert received == b"0ab"
        stream.close()
        loop.add_callback(loop.stop)
        loop.start()
        theirs.close()

    def test_a_stop_that_came_to_nothing_is_forgotten(self, loop):
        def stop_twice_over() -> None:
            loop.stop()
            loop.asyncio_loop.stop()

        loop.add_callback(stop_twice_over)
        loop.start()
        turns = []
        loop.add_callback(turns.append, 1)
        loop.call_later(0.01, turns.append, 2)
        loop.call_later(0.01, loop.stop)
        loop.start()
        assert turns == [1, 2]

    def test_a_running_loop_cannot_be_started_or_closed(self, loop):
        errors = []

        def misuse():
            for method in (loop.start, loop.close):
                try:
                    method()
                except RuntimeError as exc:
                    errors.append(str(exc))
            loop.stop()

        loop.add_callback(misuse)
        loop.start()
        assert len(errors) == 2
        assert not loop.closing

    def test_it_says_whether_it_runs(self, loop):
        seen = [loop.running()]
        loop.add_callback(lambda: seen.append(loop.running()))
        loop.add_callback(loop.stop)
        loop.start()
        assert [*seen, loop.running()] == [False, True, False]

    def test_closing_twice_is_harmless(self, loop):
        loop.close()
        loop.close()
        assert loop.asyncio_loop.is_closed()

    def test_a_loop_runs_in_another_thread(self, loop):
        seen = []

        def use():
            seen.append(threading.get_ident())
            loop.stop()

        loop.add_callback(use)
        thread = threading.Thread(target=loop.start)
        thread.start()
        thread.join()
        assert seen == [thread.ident]

    def test_a_proactor_loop_gets_its_missing_methods(self, monkeypatch):
        monkeypatch.setattr(asyncio, "ProactorEventLoop", asyncio.SelectorEventLoop, raising=False)
        loop = IOLoop(asyncio_loop=asyncio.SelectorEventLoop(), make_current=False)
        assert loop.selector_loop is not loop.asyncio_loop
        seen = []
        ours, theirs = socket.socketpair()

        def on_event(sock, events):
            seen.append(sock.recv(1))
            loop.remove_handler(sock)
            loop.stop()

        loop.add_handler(ours, on_event, loop.READ)
        theirs.send(b"x")
        loop.start()
        assert seen == [b"x"]
        ours.close()
        theirs.close()
        loop.close()
        assert loop.asyncio_loop.is_closed()

    def test_a_loop_that_cannot_be_wrapped_is_closed(self, monkeypatch):
        made = []

        def make():
            made.append(asyncio.SelectorEventLoop())
            return made[-1]

        IOLoop.configure(make)
        monkeypatch.setattr(IOLoop, "_register", lambda self: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            IOLoop(make_current=False)
        assert made[0].is_closed()


class TestRunSync:
    def test_results(self, loop):
        async def native():
            await asyncio.sleep(0)
            return 42

        assert loop.run_sync(native) == 42
        assert loop.run_sync(lambda: None) is None
        assert loop.run_sync(lambda: [native(), native()]) == [42, 42]

    def test_exceptions(self, loop):
        async def native():
            raise KeyError("async")

        with pytest.raises(ZeroDivisionError):
            loop.run_sync(lambda: 1 / 0)
        with pytest.raises(KeyError):
            loop.run_sync(native)
        with pytest.raises(BadYieldError):
            loop.run_sync(lambda: 42)

    def test_a_timeout_cancels(self, loop):
        cancelled = []

        async def forever():
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(True)
                raise

        with pytest.raises(TimeoutError, match=r"timed out after 0\.01 seconds"):
            loop.run_sync(forever, timeout=0.01)
        assert cancelled == [True]

    def test_what_ends_in_time_leaves_no_timer(self, loop):
        assert loop.run_sync(lambda: None, timeout=0.005) is None
        loop.call_later(0.02, loop.stop)
        loop.start()

    def test_a_task_that_will_not_be_cancelled_gives_its_result(self, loop):
        async def stubborn():
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return "anyway"

        assert loop.run_sync(stubborn, timeout=0.01) == "anyway"

    def test_a_loop_that_is_stopped_meanwhile_is_an_error(self, loop):
        future = loop.asyncio_loop.create_future()

        def stop_early():
            loop.add_callback(loop.stop)
            return future

        with pytest.raises(RuntimeError, match="stopped before"):
            loop.run_sync(stop_early)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_has_no_loop_of_its_parent():
    parent_loop = IOLoop.current()
    pid = os.fork()
    if pid == 0:
        ok = not IOLoop.initialized() and IOLoop.current() is not parent_loop
        IOLoop.current().run_sync(lambda: None)
        gc.collect()
        os._exit(0 if ok else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    woken = []
    thread = threading.Thread(target=lambda: parent_loop.add_callback(lambda: woken.append(1)))
    parent_loop.call_later(0.01, thread.start)
    parent_loop.call_later(0.05, parent_loop.stop)
    parent_loop.start()
    thread.join()
    assert woken == [1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_child_forked_by_a_callback_does_not_take_its_parents_loop_for_running():
    loop = IOLoop(make_current=False)
    statuses = []

    def fork():
        pid = os.fork()
        if pid == 0:
            status, woken = 1, []
            try:
                loop._wake_with = woken.append
                loop.add_callback(print)
                status = 0 if woken == [print] else 1
            finally:
                os._exit(status)
        statuses.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        loop.stop()

    loop.add_callback(fork)
    loop.start()
    loop.close()
    assert statuses == [0]


def test_splitting_a_blocking_job_lets_others_run():
    # The slide's way: results are parsed in a later turn, and other work runs in between.
    order = []

    def parse_results(results):
        order.append("parse")
        if results:
            IOLoop.instance().add_callback(parse_results, results[1:])
        else:
            IOLoop.instance().stop()

    def other():
        order.append("other")
        if order.count("other") < 3:
            IOLoop.instance().add_callback(other)

    IOLoop.instance().add_callback(parse_results, [1, 2])
    IOLoop.instance().add_callback(other)
    IOLoop.instance().start()
    assert order == ["parse", "other", "parse", "other", "parse", "other"]
