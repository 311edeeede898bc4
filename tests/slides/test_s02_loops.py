"""S2: the best event loop of the platform, unless somebody asks for another; the log says which it is."""

from __future__ import annotations

import importlib.util
import select

import pytest

LOOP = """
    import logging
    from tornado.ioloop import IOLoop

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    {configure}
    ioloop = IOLoop.instance()
    ioloop.add_callback(ioloop.stop)
    ioloop.start()
    print(type(ioloop.asyncio_loop).__module__.partition(".")[0])
"""


def loop_of(launch, configure="", **environment):
    """What the log says."""
    program = launch(LOOP.format(configure=configure), **environment)
    assert program.wait() == 0, program.written()
    line, module = program.written().splitlines()
    prefix, _, name = line.partition("event loop: ")
    assert prefix == "INFO "
    assert name.partition(" ")[0] == module
    return name


def polls(name):
    return hasattr(select, name)


def test_the_best_there_is(launch):
    backend = "epoll" if polls("epoll") else "kqueue" if polls("kqueue") else "select"
    found = loop_of(launch, GUSTNADO_LOOP="")
    assert found.endswith(f"({backend})")
    assert found.startswith("uvloop " if importlib.util.find_spec("uvloop") else "asyncio ")


@pytest.mark.parametrize("style", ["own"])
@pytest.mark.parametrize("name", ["select", "poll"])
def test_the_environment_chooses(launch, name):
    if not polls(name):
        pytest.skip(f"no {name} on this platform")
    assert loop_of(launch, GUSTNADO_LOOP=name) == f"asyncio ({name})"


def test_the_program_chooses(launch):
    assert loop_of(launch, 'IOLoop.configure("select")', GUSTNADO_LOOP="") == "asyncio (select)"


@pytest.mark.parametrize("style", ["own"])
def test_also_by_a_path(launch):
    by_path = 'IOLoop.configure("asyncio.SelectorEventLoop")'
    assert loop_of(launch, by_path, GUSTNADO_LOOP="").startswith("asyncio (")


def test_the_environment_has_the_last_word(launch):
    found = loop_of(launch, 'IOLoop.configure("asyncio")', GUSTNADO_LOOP="select")
    assert found == "asyncio (select)"


@pytest.mark.parametrize("style", ["own"])
def test_a_name_that_is_none_is_told(launch):
    program = launch(LOOP.format(configure=""), GUSTNADO_LOOP="gale")
    assert program.wait() == 1
    last = program.written().splitlines()[-1]
    assert "GUSTNADO_LOOP" in last
    assert "'gale'" in last
