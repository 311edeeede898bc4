"""Tornado's own tests pass, but for those that ``docs/tornado-differences.md`` names with a reason.

The tests are those of the installed Tornado, unchanged; ``import tornado`` means ``gustnado.tornado``. A test that
fails must be in the table there, one that passes must not, and 97 of 100 pass in each area. So a new
failure is seen, and so is a reason that has gone.

They run on the compiled leg only: what differs between the legs is tested by our own tests, and these take long.
They run on each Python, as the standard library's asyncio and unittest, on which they lean, differ.
"""

from __future__ import annotations

import os

import pytest

pytestmark = pytest.mark.skipif(
    os.environ.get("GUSTNADO_EXTENSIONS") == "0", reason="Tornado's tests are run on the compiled leg"
)

# To add a module, add its name.
AREAS = {
    "events": """
        autoreload_test concurrent_test escape_test import_test ioloop_test log_test netutil_test options_test
        tcpserver_test twisted_test
    """.split(),
    "websockets": ["websocket_test"],
}
MODULES = sorted(module for modules in AREAS.values() for module in modules)
SHARE = 0.97


@pytest.mark.parametrize("module", MODULES)
def test_what_fails_is_listed(module, outcomes, exceptions):
    new = {name: text for name, text in outcomes(module).failed.items() if name not in exceptions}
    assert not new, "\n\n".join(f"{name}\n{text}" for name, text in new.items())


@pytest.mark.parametrize("module", MODULES)
def test_what_is_listed_fails(module, outcomes, exceptions):
    listed = {name for name in exceptions if name.startswith(f"{module}.")}
    assert not listed & outcomes(module).passed, "they pass: take them out of docs/tornado-differences.md"
    assert listed <= outcomes(module).ran, "there are no such tests"


@pytest.mark.parametrize("module", MODULES)
def test_a_run_is_quiet_and_ends_well(module, outcomes):
    """Nothing is logged, and no destructor complains."""
    found = outcomes(module)
    assert found.ran
    assert (found.output, found.status) == ("", 0)


@pytest.mark.parametrize("area", AREAS)
def test_enough_pass(area, outcomes):
    passed = sum(len(outcomes(module).passed) for module in AREAS[area])
    failed = sum(len(outcomes(module).failed) for module in AREAS[area])
    assert passed >= SHARE * (passed + failed), f"{passed} pass, {failed} do not"


def test_what_is_listed_is_of_a_module_that_is_run(exceptions):
    assert {name.partition(".")[0] for name in exceptions} <= set(MODULES)


def test_reasons_are_reasons(exceptions):
    """A name without one, or what is only not done yet, is no exception but a bug."""
    hollow = [name for name, reason in exceptions.items() if len(reason) < 20 or "not done" in reason.lower()]
    assert not hollow
