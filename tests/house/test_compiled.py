"""A module is compiled if and only if it has a sibling ``.pxd`` and the build was asked for it.

``GUSTNADO_EXTENSIONS`` says of a run of the tests, as of a build, what is to be: ``1`` all, ``0`` none,
unset all or none.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from importlib.machinery import EXTENSION_SUFFIXES

WANTED = os.environ.get("GUSTNADO_EXTENSIONS", "")


def is_extension(name: str) -> bool:
    """Whether an imported module is machine code, by the file that it came from."""
    return str(importlib.import_module(name).__file__).endswith(tuple(EXTENSION_SUFFIXES))


def test_there_is_something_to_compile(sources):
    assert [name for name, source in sources.items() if source.is_compiled]


def test_a_module_with_a_pxd_is_what_the_build_was_asked_for(compiled_source, sources):
    found = is_extension(compiled_source.name)
    if WANTED:
        assert found == (WANTED == "1")
    else:
        others = {is_extension(name) for name, source in sources.items() if source.is_compiled}
        assert others == {found}, "all or none"


def test_a_module_without_a_pxd_is_never_an_extension(source):
    if source.is_compiled or source.path.stem == "__main__":
        return
    spec = importlib.util.find_spec(source.name)
    assert spec is not None
    assert str(spec.origin).endswith(".py")


def test_every_pxd_has_its_module(root):
    pxds = sorted((root / "src").rglob("*.pxd"))
    assert not [str(pxd) for pxd in pxds if not pxd.with_suffix(".py").exists()]
