"""Generators wait for callbacks by their keys."""

from __future__ import annotations

import asyncio
import concurrent.futures

import pytest

from gustnado.errors import UsageError
from gustnado.events.callback_contexts import frames
from gustnado.events.coroutines import coroutine, sleep
from gustnado.events.futures import Future
from gustnado.events.loop import IOLoop
from gustnado.events.yield_points import (
    Arguments,
    Callback,
    CallbackBook,
    KeyReuseError,
    LeakedCallbackError,
    MultiYieldPoint,
    UnknownKeyError,
    Wait,
    WaitAll,
    YieldFuture,
    YieldPoint,
    as_yield_point,
    has_yield_point,
    result_of,
)


class Boom(Exception):
    pass


def later(*args, callback, **kwargs):
    """Call the callback with the arguments, in a later turn of the loop."""
    IOLoop.current().add_callback(callback, *args, **kwargs)


async def soon(value):
    await asyncio.sleep(0)
    return value


def test_what_a_callback_was_called_with():
    assert result_of() is None
    assert result_of(1) == 1
    assert result_of(1, 2) == Arguments((1, 2), {})
    assert result_of(1, x=2) == ((1,), {"x": 2})


def test_errors_of_keys_are_the_programs_fault():
    assert all(
        issubclass(error, UsageError) for error in (KeyReuseError, LeakedCallbackError, UnknownKeyError)
    )


class TestCallbackBook:
    def test_a_key_has_its_result_once(self):
        changes = []
        book = CallbackBook(lambda: changes.append(1))
        book.register("key")
        assert not book.is_ready("key")
        book.result_callback("key")(42)
        assert book.is_ready("key")
        assert changes == [1]
        assert book.pop_result("key") == 42
        assert book.pop_result("key") is None
        book.register("key")
        assert not book.is_ready("key")

    def test_a_key_that_is_pending(self):
        book = CallbackBook(lambda: None)
        book.register("key")
        with pytest.raises(KeyReuseError, match="'key' is already pending"):
            book.register("key")

    def test_a_key_that_is_unknown(self):
        with pytest.raises(UnknownKeyError, match="'key' is not pending"):
            CallbackBook(lambda: None).is_ready("key")

    def test_leaks(self):
        book = CallbackBook(lambda: None)
        book.check_leaks()
        book.register("key")
        with pytest.raises(LeakedCallbackError, match=r"without waiting for callbacks \['key'\]"):
            book.check_leaks()


class TestInCoroutines:
    def test_waiting_for_a_callback(self, run):
        @coroutine
        def main():
            later(42, callback=(yield Callback("key")))
            assert (yield Wait("key")) == 42
            (yield Callback("key"))(1, 2)  # at once, and under the same key again
            assert (yield Wait("key")) == Arguments((1, 2), {})
            later(callback=(yield Callback("nothing")))
            assert (yield Wait("nothing")) is None

        run(main_of(main))

    def test_waiting_for_several(self, run):
        @coroutine
        def main():
            for key in "abc":
                later(key.upper(), callback=(yield Callback(key)))
            return (yield WaitAll(["c", "a", "b"]))

        async def check():
            assert await main() == ["C", "A", "B"]

        run(check())

    def test_they_may_stand_in_lists_and_dicts_with_futures(self, run):
        @coroutine
        def main():
            callbacks = yield {"a": Callback("a"), "b": [Callback("b"), Callback("c")]}
            later(1, callback=callbacks["a"])
            for number, callback in enumerate(callbacks["b"]):
                later(number, callback=callback)
            return (yield [Wait("a"), soon(2), {"x": WaitAll("bc"), "none": None}, sleep(0)])

        async def check():
            assert await main() == [1, 2, {"x": [0, 1], "none": None}, None]

        run(check())

    def test_lists_without_any_are_as_ever(self, run):
        @coroutine
        def main():
            return (yield [soon(1), {"a": soon(2)}])

        async def check():
            assert await main() == [1, {"a": 2}]

        run(check())

    def test_several_that_fail(self, run, expect_log):
        async def fail(error):
            raise error

        @coroutine
        def main():
            with expect_log("gustnado.application", "Multiple exceptions in yield list"), pytest.raises(Boom):
                yield [YieldFuture(fail(Boom(1))), YieldFuture(fail(KeyError(2)))]

        run(main_of(main))

    def test_a_key_twice(self, run):
        @coroutine
        def main():
            yield Callback("key")
            with pytest.raises(KeyReuseError):
                yield Callback("key")
            later(callback=(yield Callback("other")))
            yield Wait("other")

        async def check():
            # It had an exception, which may be why it does not wait for the first.
            await main()

        run(check())

    def test_a_key_that_was_never_made(self, run):
        @coroutine
        def main():
            with pytest.raises(UnknownKeyError, match="'key' is not pending"):
                yield Wait("key")
            with pytest.raises(UnknownKeyError):
                yield WaitAll(["key"])

        run(main_of(main))

    def test_ending_without_having_waited(self, run):
        @coroutine
        def main():
            yield Callback("key")
            return 42

        async def check():
            with pytest.raises(LeakedCallbackError, match="'key'"):
                await main()

        run(check())

    def test_a_callback_that_comes_after_the_end(self, run):
        @coroutine
        def main(kept):
            kept.append((yield Callback("key")))
            raise Boom

        async def check():
            kept = []
            with pytest.raises(Boom):
                await main(kept)
            kept[0](1)
            await asyncio.sleep(0)

        run(check())

    def test_keys_belong_to_one_call(self, run):
        @coroutine
        def inner():
            later("inner", callback=(yield Callback("key")))
            return (yield Wait("key"))

        @coroutine
        def outer():
            callback = yield Callback("key")
            assert (yield inner()) == "inner"
            callback("outer")
            return (yield Wait("key"))

        async def check():
            assert await outer() == "outer"

        run(check())

    def test_what_a_callback_raises_is_thrown_into_the_generator(self, run):
        @coroutine
        def main():
            callback = yield Callback("key")
            IOLoop.current().add_callback(fail, "while it waits")
            with pytest.raises(Boom, match="while it waits"):
                yield Wait("key")
            callback(42)
            return (yield Wait("key"))

        async def check():
            assert await main() == 42

        def fail(text):
            raise Boom(text)

        run(check())

    def test_what_a_callback_raises_after_the_end_is_logged(self, run, expect_log):
        def fail():
            raise Boom

        @coroutine
        def main():
            (yield Callback("key"))(1)
            yield Wait("key")
            IOLoop.current().add_callback(fail)

        async def check():
            await main()
            with expect_log("gustnado.application", "Exception in callback .*fail"):
                await asyncio.sleep(0)
                await asyncio.sleep(0)

        run(check())


    def test_a_chain_of_generators_gathers_no_contexts(self, run):
        @coroutine
        def link(left, depths, done):
            later(callback=(yield Callback("key")))
            yield Wait("key")
            depths.append(len(frames.get()))
            if left:
                IOLoop.current().add_callback(link, left - 1, depths, done)
            else:
                done.set_result(None)

        async def main():
            depths, done = [], Future()
            link(20, depths, done)
            await done
            assert max(depths) <= 2

        run(main())


def main_of(function):
    async def main():
        await function()

    return main()


class TestYieldPoint:
    def test_it_is_a_contract(self):
        point = YieldPoint()
        for call in (lambda: point.start(None), point.is_ready, point.get_result):  # type: ignore[arg-type]
            with pytest.raises(NotImplementedError):
                call()

    @pytest.mark.parametrize("where", ["start", "is_ready", "get_result"])
    def test_one_that_raises(self, run, where):
        def fail(self, *args):
            raise Boom(where)

        @coroutine
        def main():
            methods = {"start": lambda *_: None, "is_ready": lambda _: True, "get_result": lambda _: 1}
            with pytest.raises(Boom, match=where):
                yield type("Failing", (YieldPoint,), {**methods, where: fail})()

        run(main_of(main))

    def test_a_programs_own(self, run):
        class Both(YieldPoint):
            def start(self, runner):
                self.runner = runner
                for key in "ab":
                    runner.register_callback(key)
                    later(key, callback=runner.result_callback(key))

            def is_ready(self):
                return self.runner.is_ready("a") and self.runner.is_ready("b")

            def get_result(self):
                return self.runner.pop_result("a") + self.runner.pop_result("b")

        @coroutine
        def main():
            return (yield Both())

        async def check():
            assert await main() == "ab"

        run(check())

    def test_finding_them(self):
        assert has_yield_point(Wait("a"))
        assert has_yield_point([1, {"x": [Wait("a")]}])
        assert not has_yield_point([1, {"x": []}])
        assert not has_yield_point(None)


class TestYieldFuture:
    def test_futures_of_both_kinds_and_coroutines(self, run):
        @coroutine
        def main():
            with concurrent.futures.ThreadPoolExecutor(1) as executor:
                assert (yield YieldFuture(executor.submit(max, 1, 2), io_loop=None)) == 2
            assert (yield YieldFuture(soon(3))) == 3
            done = Future()
            done.set_result(4)
            assert (yield YieldFuture(done)) == 4
            assert (yield YieldFuture(None)) is None

        run(main_of(main))

    def test_one_that_fails_leaves_no_key(self, run):
        @coroutine
        def main():
            future = Future()
            IOLoop.current().add_callback(future.set_exception, Boom())
            try:
                yield YieldFuture(future)
            except Boom:
                return 42

        async def check():
            assert await main() == 42

        run(check())


class TestMultiYieldPoint:
    def test_a_list_and_a_dict(self, run):
        @coroutine
        def main():
            assert (yield MultiYieldPoint([soon(1), [soon(2), Callback("a")][:1]])) == [1, [2]]
            assert (yield MultiYieldPoint({"a": soon(1)})) == {"a": 1}
            assert (yield MultiYieldPoint([])) == []

        run(main_of(main))

    def test_exceptions_that_are_not_to_be_logged(self, run):
        async def fail(error):
            raise error

        @coroutine
        def main():
            with pytest.raises(Boom):
                yield MultiYieldPoint([fail(Boom()), fail(KeyError())], quiet_exceptions=KeyError)

        run(main_of(main))

    def test_anything_that_can_be_yielded_is_one(self, run):
        async def main():
            assert isinstance(as_yield_point([Wait("a")]), MultiYieldPoint)
            several = as_yield_point([soon(1)])
            assert isinstance(several, YieldFuture)
            assert await several.future == [1]
            wait = Wait("a")
            assert as_yield_point(wait) is wait

        run(main())
