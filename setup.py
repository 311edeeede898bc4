"""Builds the C extensions; all else is in pyproject.toml.

A module is compiled if and only if it has a sibling ``.pxd``. The environment variable
``GUSTNADO_EXTENSIONS`` says whether:

``0``
    No. Neither Cython nor a compiler is looked for; the wheel is a pure one.
``1``
    Yes. An error of translation or of compilation is an error of the build.
unset
    If it can be done, on CPython. Otherwise a notice says why not, and the build goes on as with ``0``.

It is all or nothing: a build never holds some of the extensions only.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

SOURCES = Path("src")
DIRECTIVES = {
    "language_level": 3,
    "annotation_typing": False,  # hints are for people, the .pxd is for C
    "freethreading_compatible": True,
}

# A C function that is used as a Python one with arguments of another kind is a warning before GCC 14 only.
C_ARGUMENTS = ["-Werror=incompatible-pointer-types"] if os.name == "posix" else []


class BuildFailed(Exception):
    """The extensions cannot be built here."""


class BuildExtensions(build_ext):
    """Compiles on all cores, and tells a failure from every other error of a build.

    ``build_ext --inplace`` leaves no extension beside the sources that it did not build: one of an
    earlier build would shadow its module.
    """

    def finalize_options(self) -> None:
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()

    def run(self) -> None:
        if self.inplace:
            self.remove_stray()
        try:
            super().run()
        except Exception as error:  # each kind of compiler has errors of its own
            raise BuildFailed(f"compilation: {error}") from error

    def remove_stray(self) -> None:
        wanted = {Path(self.get_ext_fullpath(extension.name)).resolve() for extension in self.extensions}
        for file in SOURCES.glob("**/*" + sysconfig.get_config_var("EXT_SUFFIX")):
            if file.resolve() not in wanted:
                file.unlink()


COMMANDS: dict[str, Any] = {"build_ext": BuildExtensions}


def modules() -> dict[str, Path]:
    """Dotted name and source file of each module that is to be compiled."""
    files = (pxd.with_suffix(".py") for pxd in sorted(SOURCES.glob("**/*.pxd")))
    return {
        ".".join(file.relative_to(SOURCES).with_suffix("").parts): file for file in files if file.exists()
    }


def extensions() -> list[Extension]:
    """Translate each module to C, below ``build/``, where no stray file shadows a source.

    :raises BuildFailed: if Cython is missing, or finds an error or anything to warn of.
    """
    try:
        from Cython.Build import cythonize
        from Cython.Compiler import Options
    except ImportError as error:
        raise BuildFailed(f"translation: {error}") from error
    Options.warning_errors = True
    try:
        translated: list[Extension] = cythonize(  # type: ignore[no-untyped-call]
            [Extension(name, [str(file)], extra_compile_args=C_ARGUMENTS) for name, file in modules().items()],
            include_path=[str(SOURCES)],
            build_dir="build/cython",
            compiler_directives=DIRECTIVES,
        )
    except Exception as error:  # Cython's CompileError, and OSError where build/ cannot be written
        raise BuildFailed(f"translation: {error}") from error
    return translated


def main() -> None:
    wanted = os.environ.get("GUSTNADO_EXTENSIONS", "")
    if wanted not in ("", "0", "1"):
        sys.exit(f"GUSTNADO_EXTENSIONS must be 0, 1 or unset, not {wanted!r}")
    if wanted == "1" or (not wanted and sys.implementation.name == "cpython"):
        try:
            setup(ext_modules=extensions(), cmdclass=COMMANDS)
            return
        except BuildFailed as error:
            if wanted:
                raise
            print(f"*** gustnado is built without C extensions: {error}", file=sys.stderr)
    setup(cmdclass=COMMANDS)


main()
