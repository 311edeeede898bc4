"""The pytest plugin, in runs of pytest of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Loaded here, or each run would load them anew.
import gustnado.events
import gustnado.http
import gustnado.testing.case
import gustnado.testing.http_case
import gustnado.testing.logs
import gustnado.web  # noqa: F401

pytest_plugins = ["pytester"]

ALONE = ["-p", "no:asyncio", "-p", "no:anyio", "-p", "no:hypothesispytest"]
BESIDE_OTHERS = ["-p", "no:hypothesispytest", "-p", "no:cacheprovider"]  # the first takes long to load

APP = """
import asyncio
import pytest
from gustnado.web import Application, RequestHandler

class Hello(RequestHandler):
    def get(self):
        self.write(f"{self.request.protocol} hello")

@pytest.fixture
def app():
    return Application([("/", Hello)])
"""
@pytest.fixture
def check(pytester):
    """``check(source, passed=1, ...)`` runs a test file, and gives what pytest said."""

    def run(source, *arguments, **outcomes):
        pytester.makepyfile(source)
        result = pytester.runpytest_inprocess(*ALONE, *arguments)
        result.assert_outcomes(**outcomes)
        return result.stdout

    return run


# -- the loop -------------------------------------------------------------------------------------


def test_a_test_gets_a_loop_of_its_own_which_is_the_current_one(check):
    check(
        """
        from gustnado.events import IOLoop

        loops = []

        def test_one(io_loop):
            assert IOLoop.current() is io_loop
            loops.append(io_loop)

        def test_two(io_loop):
            assert io_loop is not loops[0]
            assert loops[0].asyncio_loop.is_closed()

        def test_none():
            assert IOLoop.current(instance=False) is None
        """,
        passed=3,
    )


def test_a_callback_that_raises_is_an_error(check, expect_log):
    with expect_log("gustnado.application", "Exception in callback"):
        check(
            """
            import asyncio

            def test_callback(io_loop):
                io_loop.add_callback(lambda: 1 / 0)
                io_loop.run_sync(lambda: asyncio.sleep(0))
            """,
            passed=1,
            errors=1,
        ).fnmatch_lines(["*ZeroDivisionError*"])


def test_a_callback_that_raises_fails_a_coroutine(check, expect_log):
    with expect_log("gustnado.application", "Exception in callback"):
        check(
            """
            import asyncio

            async def test_callback(io_loop):
                io_loop.add_callback(lambda: 1 / 0)
                await asyncio.sleep(0)
            """,
            failed=1,
        ).fnmatch_lines(["*ZeroDivisionError*"])


def test_an_exception_that_is_expected_is_none(check):
    check(
        """
        import asyncio
        from gustnado.log import app_log
        from gustnado.testing import ExpectLog

        async def test_callback(io_loop):
            io_loop.add_callback(lambda: 1 / 0)
            with ExpectLog(app_log, "Exception in callback"):
                await asyncio.sleep(0)
        """,
        passed=1,
    )


def test_tasks_that_are_left_are_cancelled(check):
    check(
        """
        import asyncio

        ended = []

        async def forever():
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(True)

        async def test_task(io_loop):
            global task
            task = asyncio.create_task(forever())
            await asyncio.sleep(0)

        def test_afterwards():
            assert ended == [True]
        """,
        passed=2,
    )


def test_a_program_may_have_a_loop_of_its_own(check):
    check(
        """
        import asyncio
        import pytest
        from gustnado.events import IOLoop

        @pytest.fixture
        def io_loop():
            loop = IOLoop(make_current=False)
            yield loop
            loop.close()

        async def test_loop(io_loop):
            assert IOLoop.current() is io_loop

        @pytest.mark.gustnado
        async def test_mark():
            assert IOLoop.current(instance=False) is not None
        """,
        passed=2,
    )


# -- coroutines -----------------------------------------------------------------------------------


def test_a_coroutine_runs_where_it_has_the_loop_or_the_mark(check):
    check(
        """
        import asyncio
        import pytest

        @pytest.fixture
        def number(io_loop):
            return 42

        async def test_fixture(io_loop):
            await asyncio.sleep(0)
            assert asyncio.get_running_loop() is io_loop.asyncio_loop

        async def test_by_way_of_another(number):
            await asyncio.sleep(0)
            assert number == 42

        @pytest.mark.gustnado
        async def test_mark():
            await asyncio.sleep(0)

        @pytest.mark.gustnado
        class TestClass:
            @pytest.mark.parametrize("number", [1, 2])
            async def test_method(self, number):
                await asyncio.sleep(0)
                assert number in (1, 2)

        @pytest.mark.gustnado
        def test_plain():
            pass
        """,
        passed=6,
    )


def test_a_coroutine_that_raises_fails(check):
    check(
        """
        import asyncio

        async def test_assert(io_loop):
            await asyncio.sleep(0)
            number = 42
            assert number == 41
        """,
        failed=1,
    ).fnmatch_lines(["*assert 42 == 41*"])


def test_other_coroutines_are_nobodys(check):
    check("async def test_alone():\n    raise AssertionError", failed=1).fnmatch_lines(
        ["*async def functions are not natively supported*"]
    )


def test_the_configuration_may_ask_for_every_coroutine(check, pytester):
    pytester.makeini("[pytest]\ngustnado_auto = true")
    check(
        """
        from gustnado.events import IOLoop

        async def test_alone():
            assert IOLoop.current(instance=False) is not None
        """,
        passed=1,
    )


def test_a_coroutine_has_a_deadline(check, monkeypatch):
    monkeypatch.setenv("ASYNC_TEST_TIMEOUT", "0.01")
    check(
        """
        import asyncio

        async def test_late(io_loop):
            await asyncio.sleep(1000)
        """,
        failed=1,
    ).fnmatch_lines(["*await asyncio.sleep(1000)*", "*TimeoutError*after 0.01 seconds*"])


def test_the_mark_says_the_deadline(check):
    check(
        """
        import asyncio
        import pytest

        @pytest.mark.gustnado(timeout=0.02)
        async def test_late():
            await asyncio.sleep(1000)
        """,
        failed=1,
    ).fnmatch_lines(["*TimeoutError*after 0.02 seconds*"])


@pytest.mark.parametrize("arguments", ["5", "time=5", "timeout=5, other=6"])
def test_the_mark_takes_nothing_else(check, arguments):
    check(
        f"""
        import pytest

        @pytest.mark.gustnado({arguments})
        async def test_it():
            pass
        """,
        failed=1,
    ).fnmatch_lines(["*@pytest.mark.gustnado takes timeout=seconds, and nothing else*"])


def test_test_cases_are_left_to_unittest(check):
    check(
        """
        import unittest
        import pytest
        from gustnado.events import IOLoop
        from gustnado.testing import AsyncTestCase

        @pytest.mark.gustnado
        class It(unittest.IsolatedAsyncioTestCase):
            async def test_it(self):
                assert IOLoop.current(instance=False) is None or not isinstance(self, AsyncTestCase)

        @pytest.mark.gustnado
        class Ours(AsyncTestCase):
            async def test_it(self):
                assert IOLoop.current() is self.io_loop
        """,
        passed=2,
    )


# -- asynchronous fixtures ------------------------------------------------------------------------


def test_fixtures_may_be_asynchronous(check):
    check(
        """
        import asyncio
        import pytest

        events = []

        @pytest.fixture
        async def number(io_loop):
            await asyncio.sleep(0)
            return 42

        @pytest.fixture
        async def resource(io_loop, number):
            await asyncio.sleep(0)
            events.append("opened")
            yield number + 1
            await asyncio.sleep(0)
            events.append("closed")

        async def test_coroutine(resource):
            assert resource == 43

        def test_plain(resource):
            assert resource == 43
            assert events == ["opened", "closed", "opened"]

        class TestMethods:
            @pytest.fixture
            async def mine(self, io_loop):
                self.value = 7
                return self

            async def test_it(self, mine):
                assert mine is self
                assert self.value == 7
        """,
        passed=3,
    )


def test_a_fixture_that_yields_twice_is_an_error(check):
    check(
        """
        import pytest

        @pytest.fixture
        async def twice(io_loop):
            yield 1
            yield 2

        async def test_it(twice):
            assert twice == 1
        """,
        passed=1,
        errors=1,
    ).fnmatch_lines(["*RuntimeError: the fixture twice yielded more than once*"])


# -- server and client ----------------------------------------------------------------------------


def test_the_application_is_served(check):
    check(
        APP
        + """
async def test_hello(http_client, http_base_url, http_port):
    assert http_base_url == f"http://127.0.0.1:{http_port}"
    assert (await http_client.fetch(http_base_url)).body == b"http hello"

def test_in_plain_functions(io_loop, http_client, http_base_url):
    assert io_loop.run_sync(lambda: http_client.fetch(http_base_url)).body == b"http hello"

async def test_without_a_socket(memory_client):
    assert (await memory_client.get("/")).body == b"http hello"
""",
        passed=3,
    )


def test_the_server_may_have_options(check):
    check(
        APP
        + """
@pytest.fixture
def http_server_options():
    from gustnado.testing import AsyncHTTPSTestCase
    return {"ssl_options": AsyncHTTPSTestCase.default_ssl_options()}

async def test_hello(http_client, http_base_url):
    assert http_base_url.startswith("https://")
    assert (await http_client.fetch(http_base_url)).body == b"https hello"
""",
        passed=1,
    )


def test_without_an_application_pytest_says_what_is_missing(check):
    check("def test_it(http_server):\n    pass", errors=1).fnmatch_lines(["*fixture 'app' not found*"])


# -- other plugins --------------------------------------------------------------------------------

OTHERS = """
import asyncio
import pytest
from gustnado.events import IOLoop

@pytest.fixture
def anyio_backend():
    return "asyncio"

async def test_ours(io_loop):
    assert asyncio.get_running_loop() is io_loop.asyncio_loop

@pytest.mark.asyncio
async def test_asyncio():
    assert IOLoop.current(instance=False) is None

@pytest.mark.anyio
async def test_anyio():
    assert IOLoop.current(instance=False) is None
"""


@pytest.mark.parametrize("auto", ["", "gustnado_auto = true"])
def test_it_lives_beside_other_plugins(pytester, auto):
    pytester.makeini(f"[pytest]\n{auto}")
    pytester.makepyfile(OTHERS)
    pytester.runpytest_subprocess(*BESIDE_OTHERS).assert_outcomes(passed=3)


def test_another_plugin_may_be_told_to_take_every_coroutine(pytester):
    pytester.makeini("[pytest]\nasyncio_mode = auto\ngustnado_auto = true")
    pytester.makepyfile(
        """
        from gustnado.events import IOLoop

        async def test_it():
            assert type(IOLoop.current().asyncio_loop).__module__.startswith("asyncio")
        """
    )
    pytester.runpytest_subprocess(*BESIDE_OTHERS).assert_outcomes(passed=1)


def test_it_loads_no_ring_before_a_test_asks():
    program = "import sys, gustnado.testing.plugin; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    ours = [name for name in loaded.stdout.split() if name.startswith("gustnado.")]
    assert ours == ["gustnado.testing", "gustnado.testing.plugin"]


def test_the_mark_and_the_fixtures_are_told(pytester):
    pytester.runpytest_inprocess(*ALONE, "--markers").stdout.fnmatch_lines(
        ["@pytest.mark.gustnado(timeout=None)*"]
    )
    pytester.runpytest_inprocess(*ALONE, "--fixtures").stdout.fnmatch_lines_random(
        [f"{name} -- *plugin.py*" for name in "io_loop http_port http_base_url http_server http_client".split()]
    )
