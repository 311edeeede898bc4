"""One source file, one test file of the same name, at the same place below ``tests/``."""

from __future__ import annotations

# Directories of tests that are about the whole and not about one file.
WHOLE = {
    "house": "rules that every file keeps",
    "slides": "the programs of the slides",
    "demo": "the sample application",
    "benchmarks": "the harness that measures",
    "wire": "requests and answers over sockets, through the whole server",
    "security": "the catalogue of bad input",
    "compat": "the tests of Tornado itself",
}
UNMIRRORED = {"__init__.py", "__main__.py"}
DOORS = "tornado"  # they hold nothing but names, and are tested together by tests/tornado/test_doors.py


def expected(sources):
    """Path of the test file below ``tests/`` -> the source that it tests."""
    files = [source.relative for source in sources.values()]
    return {
        str(file.with_name(f"test_{file.name}")): str(file)
        for file in files
        if file.name not in UNMIRRORED and file.parts[0] != DOORS
    }


def test_every_source_file_has_its_test_file(sources, root):
    missing = [f"tests/{test}" for test in expected(sources) if not (root / "tests" / test).exists()]
    assert not missing


def test_every_test_file_has_its_source_file(sources, root):
    known = {*expected(sources), "tornado/test_doors.py"}
    found = {str(path.relative_to(root / "tests")) for path in (root / "tests").rglob("test_*.py")}
    assert not [test for test in sorted(found - known) if test.split("/")[0] not in WHOLE]


def test_the_doors_are_tested(root):
    assert (root / "tests/tornado/test_doors.py").exists()


def test_tests_are_no_packages(root):
    """So that no file under ``tests/http`` can be taken for one of the package or of the library."""
    assert not list((root / "tests").rglob("__init__.py"))
