"""``setup.py`` keeps its promises, shown on a project of one module.

What needs a compiler is left to the compiled leg.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

compiles = pytest.mark.skipif(os.environ.get("GUSTNADO_EXTENSIONS") == "0", reason="the compiled leg runs it")

MODULE = """
from __future__ import annotations

def half(n: int) -> int:
    part: int = n / 2
    return part

class Box:
    def __init__(self, content: str) -> None:
        self.content = content

    def twice(self, times: int = 2) -> str:
        return self.content * times
"""
DECLARATIONS = """
cdef class Box:
    cdef object content
    cpdef object twice(self, object times=*)
"""


@pytest.fixture
def project(tmp_path, root):
    """A directory with our ``setup.py`` and one module that is to be compiled."""
    package = tmp_path / "src/small"
    package.mkdir(parents=True)
    shutil.copy(root / "setup.py", tmp_path)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "small"\nversion = "1"\n')
    (package / "__init__.py").touch()
    (package / "box.py").write_text(MODULE)
    (package / "box.pxd").write_text(DECLARATIONS)
    return tmp_path


def python(project, *arguments, extensions=None, **environment):
    """Run Python in the project, with ``GUSTNADO_EXTENSIONS`` set to ``extensions`` or unset."""
    settings = {**os.environ, **environment}
    settings.pop("GUSTNADO_EXTENSIONS", None)
    if extensions is not None:
        settings["GUSTNADO_EXTENSIONS"] = extensions
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=project, env=settings, capture_output=True, text=True, check=False)


def build(project, extensions=None, **environment):
    return python(project, "setup.py", "-q", "build_ext", "--inplace", extensions=extensions, **environment)


def built(project):
    return list(project.glob("src/small/box.*.so"))


@compiles
def test_hints_are_for_people(project):
    """``annotation_typing=False``: a float may go where a hint says ``int``, on the compiled leg too."""
    done = build(project, "1")
    assert done.returncode == 0, done.stderr
    assert built(project)
    program = (
        "import sys; sys.path.insert(0, 'src'); from small import box; from small.box import Box, half;"
        "print(box.__file__.endswith('.so'), half(5.0), half(2**80) == 2**79, Box([0]).twice(3))"
    )
    assert python(project, "-c", program).stdout.split() == ["True", "2.5", "True", "[0,", "0,", "0]"]


@compiles
@pytest.mark.parametrize(("extensions", "succeeds"), [("1", False), (None, True)])
def test_a_compiler_that_fails(project, extensions, succeeds):
    done = build(project, extensions, CC="/bin/false")
    assert (done.returncode == 0) == succeeds
    assert ("built without C extensions: compilation" in done.stderr) == succeeds
    assert not built(project)


@pytest.mark.parametrize(("extensions", "succeeds"), [("1", False), (None, True)])
def test_a_warning_of_cython_is_an_error(project, extensions, succeeds):
    with (project / "src/small/box.pxd").open("a") as pxd:
        pxd.write("cdef int declared_only(int n)\n")
    done = build(project, extensions)
    assert (done.returncode == 0) == succeeds
    assert "declared but not defined" in done.stdout + done.stderr
    assert ("built without C extensions: translation" in done.stderr) == succeeds


@pytest.mark.parametrize(("extensions", "succeeds"), [("0", True), ("1", False), (None, True)])
def test_without_cython(project, extensions, succeeds):
    """Under 0 the translator is not even looked for (setuptools itself looks whether there is a Cython)."""
    (project / "Cython").mkdir()
    (project / "Cython/__init__.py").touch()
    (project / "Cython/Build.py").write_text("print('looked for'); raise ImportError('no Cython here')")
    done = build(project, extensions)
    assert (done.returncode == 0) == succeeds
    assert ("looked for" in done.stdout) == (extensions != "0")


def test_no_extension_of_an_earlier_build_is_left(project):
    suffix = python(
        project, "-c", "import sysconfig; print(sysconfig.get_config_var('EXT_SUFFIX'))"
    ).stdout.strip()
    stray = project / f"src/small/box{suffix}"
    stray.touch()
    assert build(project, "0").returncode == 0
    assert not stray.exists()


def test_a_word_it_does_not_know(project):
    done = build(project, "yes")
    assert done.returncode != 0
    assert "must be 0, 1 or unset, not 'yes'" in done.stderr
