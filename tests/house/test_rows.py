"""Each row of the catalogue of bad inputs (SECURITY.md) that speaks of an HTTP/1 server has a test with its number.

The number stands in the name of the test (``test_row_36_...``, ``test_T33_140_...``), or begins the name of a case
(``("23 a long line", ...)``, ``("23-line", ...)``), in the files below.
"""

from __future__ import annotations

import re

# Not here: rows of HTTP/2 (from 81), of WebSockets (from 110), of what a web framework does (from 128), and these.
OTHERS = {"35", "41", "80"}  # of clients, and of a framework
ROWS = {str(number) for number in range(1, 81)} - OTHERS
ADVISORIES = {f"T{number}" for number in (3, 4, 12, 13, 14, 18, 20, 21, 22, 23, 26, 29, 33, 35, 41, 42, 50, 51)}

CASES = ("http/h1/test_parser.py", "http/h1/test_chunked.py", "wire/test_bad_requests.py")
NAME = re.compile(r"^ *(?:async )?def test_(?:row_)?((?:[Tt]?\d+_)+)", re.MULTILINE)
CASE = re.compile(r"""\(\s*f?["'](\d+)[- ]\S""")


def numbers(text: str, *, cases: bool) -> set[str]:
    """The rows that a file of tests speaks of."""
    found = {number for names in NAME.findall(text) for number in names.upper().strip("_").split("_")}
    return found | (set(CASE.findall(text)) if cases else set())


def test_numbers_are_found_in_names_and_cases():
    text = 'def test_T33_140_x():\n    def test_row_36_y():\ndef test_z(): 5\nB = [("23 long", b""), (\n "28-te", 1)]'
    assert numbers(text, cases=True) == {"T33", "140", "36", "23", "28"}
    assert numbers(text, cases=False) == {"T33", "140", "36"}


def test_each_row_has_a_test(root):
    tests = root / "tests"
    found: set[str] = set()
    for folder in ("events", "http", "wire", "web", "security"):
        for path in (tests / folder).rglob("test_*.py"):
            found |= numbers(path.read_text(), cases=str(path.relative_to(tests)) in CASES)
    missing = sorted((ROWS | ADVISORIES) - found, key=lambda row: (row[0] == "T", int(row.lstrip("T"))))
    assert not missing
