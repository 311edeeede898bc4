"""Tornado's own tests pass, but for those that ``docs/tornado-differences.md`` names with a reason.

The tests are those of the installed Tornado, unchanged; ``import tornado`` means ``gustnado.tornado``. A test that
fails must be in a table there, one that passes must not. So a new failure is seen, and so is a reason that has
gone. 97 of 100 pass in each area, and of all, those of private parts counted.

They run on the compiled leg only: what differs between the legs is tested by our own tests, and these take long.
They run on each Python, as the standard library's asyncio and unittest, on which they lean, differ.
"""

from __future__ import annotations

import ast
import importlib.metadata
import os
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    os.environ.get("GUSTNADO_EXTENSIONS") == "0", reason="Tornado's tests are run on the compiled leg"
)

# To add a module, add its name.
AREAS = {
    "client": "curl_httpclient_test httpclient_test simple_httpclient_test".split(),
    "events": """
        asyncio_test autoreload_test concurrent_test escape_test gen_test import_test ioloop_test
        iostream_test locks_test log_test netutil_test options_test process_test queues_test tcpclient_test
        tcpserver_test testing_test twisted_test util_test
    """.split(),
    "server": "http1connection_test httpserver_test httputil_test".split(),
    "web": """
        api_test auth_test circlerefs_test locale_test property_test routing_test security_corpus_test template_test
        web_test wsgi_test
    """.split(),
    "websockets": ["websocket_test"],
}
MODULES = sorted(module for modules in AREAS.values() for module in modules)
SHARE = 0.97

# Functions that make suites of Tornado's docstrings. Ours are run by tests/house/test_doctests.py.
DOCTESTS = {"tornado.httputil.doctests", "tornado.iostream.doctests", "tornado.util.doctests"}


def what_tornado_runs():
    """The list in Tornado's own runner."""
    file = Path(str(importlib.metadata.distribution("tornado").locate_file("tornado/test/runtests.py")))
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "TEST_MODULES":
            return set(ast.literal_eval(node.value))
    raise ValueError(f"no TEST_MODULES in {file}")


@pytest.mark.parametrize("module", MODULES)
def test_what_fails_is_listed(module, outcomes):
    others, _ = outcomes(module)
    assert not others.failed, "\n\n".join(f"{name}\n{text}" for name, text in others.failed.items())


@pytest.mark.parametrize("module", MODULES)
def test_a_run_is_quiet_and_ends_well(module, outcomes):
    """Nothing is logged, and no destructor complains."""
    others, listed = outcomes(module)
    assert others.passed | others.skipped | listed.found
    assert (others.output, others.status) == ("", 0)


@pytest.mark.parametrize("module", MODULES)
def test_what_is_listed_fails(module, outcomes, exceptions):
    names = {name for name in exceptions if name.startswith(f"{module}.")}
    _, listed = outcomes(module)
    assert not listed.passed, "they pass: take them out of docs/tornado-differences.md"
    assert names == listed.found, "there are no such tests"


def test_every_module_of_tornados_tests_is_run():
    assert {f"tornado.test.{module}" for module in MODULES} | DOCTESTS == what_tornado_runs()


def check_share(modules, outcomes):
    runs = [outcomes(module) for module in modules]
    passed = sum(len(others.passed) for others, _ in runs)
    failed = {name for others, listed in runs for name in {*others.failed, *(listed.found - listed.skipped)}}
    assert passed >= SHARE * (passed + len(failed)), f"{passed} pass, {len(failed)} do not: {sorted(failed)}"


@pytest.mark.parametrize("area", AREAS)
def test_enough_pass(area, outcomes):
    check_share(AREAS[area], outcomes)


def test_enough_of_all_pass(outcomes):
    check_share(MODULES, outcomes)


def test_what_is_listed_is_of_a_module_that_is_run(exceptions):
    assert {name.partition(".")[0] for name in exceptions} <= set(MODULES)


def test_reasons_are_reasons(exceptions):
    """A name without one, or what is only not done yet, is no exception but a bug."""
    hollow = [name for name, reason in exceptions.items() if len(reason) < 20 or "not done" in reason.lower()]
    assert not hollow
