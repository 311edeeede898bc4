from __future__ import annotations

import pytest
from benchmarks import environment as module
from benchmarks.environment import Environment
from benchmarks.errors import HarnessError
from benchmarks.interpreters import Python


@pytest.fixture
def environment(tmp_path, monkeypatch):
    made = Environment(Python("/usr/bin/python", "cpython", "3.13.1"), tmp_path, print)
    monkeypatch.setattr(module, "run", lambda command, what, **variables: "")
    return made


def test_each_python_has_a_folder_of_its_own_that_git_ignores(environment, tmp_path):
    assert environment.folder == tmp_path / "cpython-3.13"
    assert (tmp_path / ".gitignore").read_text() == "*\n"


def test_a_part_is_made_once_for_the_same_state_and_again_for_another(environment):
    made = []
    for state in ("a", "a", "b"):
        environment._once("part", state, "making", lambda state=state: made.append(state))
    assert made == ["a", "b"]


def test_a_part_that_failed_is_made_again(environment):
    def fail() -> None:
        raise HarnessError("no compiler")

    made = []
    with pytest.raises(HarnessError):
        environment._once("part", "a", "making", fail)
    environment._once("part", "a", "making", lambda: made.append(1))
    assert made == [1]


def test_both_builds_start_from_sources_without_any_extension(environment, monkeypatch):
    seen = {}

    def fake(command, what, **variables):
        copy = environment.folder / f"source-{variables['GUSTNADO_EXTENSIONS']}"
        seen[variables["GUSTNADO_EXTENSIONS"]] = command
        assert not list(environment.folder.glob("source-*/src/**/*.so"))
        assert list(environment.folder.glob("source-*/src/gustnado/errors.py")), copy
        return ""

    monkeypatch.setattr(module, "run", fake)
    environment._build("compiled")
    environment._build("interpreted")
    assert {"0", "1"} == set(seen)
    assert str(environment.build("interpreted")) in seen["0"]
    assert not list(environment.folder.glob("source-*"))


def test_what_gustnado_requires_is_installed_beside_the_peers():
    assert any(line.startswith("msgspec") for line in module._dependencies())
