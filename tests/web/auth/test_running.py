from __future__ import annotations

import asyncio

import pytest

from gustnado.events.callbacks import CallbackTypeError
from gustnado.web import HTTPError, RequestHandler
from gustnado.web.auth import AuthError
from gustnado.web.auth.running import announce, start, start_redirect

GENERAL = "gustnado.general"


async def give(value):
    await asyncio.sleep(0)
    return value


async def fail(error):
    await asyncio.sleep(0)
    raise error


def handler_of(method):
    return type("Handler", (RequestHandler,), {"get": method})


def serve(sites, method):
    async def scenario(sites, browser):
        url = sites.add([("/", handler_of(method))])
        return await browser.get(url)

    return sites(scenario)


def test_can_be_awaited(sites):
    async def get(self):
        self.write(await start(self, give("ann")))

    assert serve(sites, get).body == b"ann"


def test_runs_without_being_awaited(sites):
    async def get(self):
        ran = asyncio.Event()

        async def work():
            ran.set()

        start(self, work())
        await ran.wait()
        self.write("ran")

    assert serve(sites, get).body == b"ran"


def test_a_callback_gets_the_result(sites):
    async def get(self):
        got = asyncio.get_running_loop().create_future()
        start(self, give("ann"), got.set_result)
        self.write(await got)

    assert serve(sites, get).body == b"ann"


def test_a_callback_gets_none_where_the_sign_in_failed(sites, expect_log):
    async def get(self):
        got = asyncio.get_running_loop().create_future()
        start(self, fail(AuthError("forged")), got.set_result)
        self.write(repr(await got))

    with expect_log(GENERAL, r"Sign-in failed, GET /.*: forged"):
        assert serve(sites, get).body == b"None"


def test_who_awaits_gets_the_exception(sites):
    async def get(self):
        try:
            await start(self, fail(AuthError("forged")))
        except AuthError as error:
            self.write(str(error))

    assert serve(sites, get).body == b"forged"


def test_an_exception_that_is_awaited_late_is_not_lost(sites):
    async def get(self):
        future = start(self, fail(AuthError("forged")))
        while not future.done():
            await asyncio.sleep(0)
        with pytest.raises(AuthError):
            await future
        self.write("seen")

    assert serve(sites, get).body == b"seen"


@pytest.mark.parametrize(
    ("error", "code", "logger"),
    [(AuthError("forged"), 403, GENERAL), (HTTPError(418, "tea"), 418, GENERAL)],
)
def test_where_nobody_listens_it_becomes_the_error_page(sites, expect_log, error, code, logger):
    async def get(self):
        self._auto_finish = False  # as @asynchronous does
        start(self, fail(error))

    with expect_log(logger, f"{code} GET /"):
        assert serve(sites, get).code == code


def test_a_cancelled_sign_in_tells_nobody(sites):
    async def get(self):
        future = start(self, give("ann"))
        future.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await future
        self.write("cancelled")

    assert serve(sites, get).body == b"cancelled"


def test_what_cannot_be_called_is_no_callback(run):
    async def main():
        with pytest.raises(CallbackTypeError):
            start(None, give("ann"), "callback")

    run(main())


def test_after_a_redirect_a_callback_is_called_with_none(sites):
    async def get(self):
        got = asyncio.get_running_loop().create_future()
        start_redirect(self, give(None), got.set_result)
        self.write(repr(await got))

    assert serve(sites, get).body == b"None"


def test_without_a_redirect_no_callback_but_the_error_page(sites, expect_log):
    called = []

    async def get(self):
        self._auto_finish = False
        start_redirect(self, fail(AuthError("no service")), called.append)

    with expect_log(GENERAL, "403 GET /.*no service"):
        assert serve(sites, get).code == 403
    assert called == []


def test_cancelling_stops_the_work(run):
    async def main():
        began = asyncio.Event()

        async def work():
            began.set()
            await asyncio.Event().wait()

        future = start(None, work())
        await began.wait()
        task = future.task
        assert future.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert future.cancelled()

    run(main())


def test_announce_calls_with_none(run):
    async def main():
        got = asyncio.get_running_loop().create_future()
        announce(None, got.set_result)
        announce(None, None)
        return await got

    assert run(main()) is None
