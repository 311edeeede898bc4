from __future__ import annotations

import platform
import sys

import pytest
from benchmarks.errors import HarnessError
from benchmarks.interpreters import Python, find_python


def test_a_python_is_found_by_its_path():
    found = find_python(sys.executable)
    assert found.version == platform.python_version()
    assert found.implementation == platform.python_implementation().lower()


def test_a_label_names_implementation_and_minor_version():
    assert Python("/p", "cpython", "3.13.0").label == "cpython-3.13"


@pytest.mark.parametrize("name", ["no-such-python-anywhere", "/dev/null"])
def test_what_does_not_run_is_no_python(name):
    with pytest.raises(HarnessError, match="is not a Python that runs"):
        find_python(name)


def test_without_any_python_of_the_default_version_the_message_says_what_to_do(monkeypatch):
    monkeypatch.setattr("benchmarks.interpreters._candidates", list)
    with pytest.raises(HarnessError, match="--python"):
        find_python(None)
