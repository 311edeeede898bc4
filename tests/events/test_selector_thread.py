from __future__ import annotations

import asyncio
import socket
import threading

import pytest

from gustnado.events import selector_thread
from gustnado.events.selector_thread import AddThreadSelectorEventLoop, SelectorThread, with_selector


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    yield ours, theirs
    ours.close()
    theirs.close()


def test_descriptors_are_watched_on_the_loops_thread(run, pair):
    ours, theirs = pair

    async def main():
        selector = SelectorThread(asyncio.get_running_loop())
        received = asyncio.get_running_loop().create_future()

        def on_readable(label):
            selector.remove_reader(ours)
            received.set_result((label, ours.recv(10), threading.get_ident()))

        selector.add_reader(ours, on_readable, "label")
        theirs.send(b"hello")
        assert await received == ("label", b"hello", threading.get_ident())
        writable = asyncio.Event()
        selector.add_writer(ours, writable.set)
        await writable.wait()
        assert selector.remove_writer(ours)
        assert not selector.remove_writer(ours)
        selector.close()
        selector.close()
        with pytest.raises(RuntimeError, match="closed"):
            selector.add_reader(ours, print)

    run(main())


def test_one_event_runs_one_callback(run, pair):
    ours, theirs = pair

    async def main():
        selector = SelectorThread(asyncio.get_running_loop())
        calls = []
        done = asyncio.Event()

        def on_readable():
            calls.append(ours.recv(1))
            if len(calls) == 3:
                done.set()

        selector.add_reader(ours, on_readable)
        for _ in range(3):
            theirs.send(b"x")
            await asyncio.sleep(0)
        await done.wait()
        assert calls == [b"x"] * 3
        selector.close()

    run(main())


def test_a_descriptor_closed_meanwhile_does_no_harm(run, pair):
    ours, theirs = pair

    async def main():
        selector = SelectorThread(asyncio.get_running_loop())
        other, peer = socket.socketpair()
        selector.add_reader(other, print)
        other.close()
        selector.remove_reader(other)
        seen = asyncio.Event()
        selector.add_reader(ours, seen.set)
        theirs.send(b"x")
        await seen.wait()
        selector.close()
        peer.close()

    run(main())


def test_asyncio_run_ends_the_thread(pair):
    before = threading.active_count()

    async def main():
        SelectorThread(asyncio.get_running_loop()).add_reader(pair[0], print)
        await asyncio.sleep(0)
        assert threading.active_count() == before + 1

    asyncio.run(main())
    assert threading.active_count() == before


def test_no_thread_runs_before_it_is_needed():
    before = threading.active_count()
    loop = asyncio.new_event_loop()
    wrapped = AddThreadSelectorEventLoop(loop)
    assert threading.active_count() == before
    wrapped.close()
    assert loop.is_closed()


def test_all_threads_end_at_exit(pair):
    loop = asyncio.new_event_loop()
    selector = SelectorThread(loop)

    async def main():
        selector.add_reader(pair[0], print)
        await asyncio.sleep(0)

    loop.run_until_complete(main())
    selector_thread._close_all()
    assert not selector._thread.is_alive()
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


def test_the_wrapper_is_the_loop_with_more_methods(run, pair):
    ours, theirs = pair

    async def main():
        loop = asyncio.get_running_loop()
        wrapped = AddThreadSelectorEventLoop(loop)
        seen = asyncio.Event()
        wrapped.add_reader(ours, seen.set)
        theirs.send(b"x")
        await seen.wait()
        wrapped.remove_reader(ours)
        assert wrapped.is_running()
        wrapped._selector.close()

    run(main())


def test_the_wrapped_loop_is_an_event_loop_for_asyncio_too():
    loop = asyncio.new_event_loop()
    wrapped = AddThreadSelectorEventLoop(loop)
    assert isinstance(wrapped, asyncio.AbstractEventLoop)
    asyncio.set_event_loop(wrapped)  # which is particular about that
    asyncio.set_event_loop(None)
    assert wrapped.run_until_complete(asyncio.sleep(0, 42)) == 42
    assert wrapped.time == loop.time
    wrapped.close()


def test_only_the_proactor_is_wrapped(monkeypatch):
    loop = asyncio.new_event_loop()
    assert with_selector(loop) is loop
    monkeypatch.setattr(asyncio, "ProactorEventLoop", type(loop), raising=False)
    wrapped = with_selector(loop)
    assert isinstance(wrapped, AddThreadSelectorEventLoop)
    wrapped.close()
