"""Where templates come from: a directory, a dictionary, or a program's own store.

A loader compiles each template once and keeps it until ``reset``. Loading reads a file and compiles, both
in the caller's thread: a few milliseconds the first time, a dictionary lookup after that. A program that
minds the first time calls ``load`` at its start.

``Loader`` never leaves its root directory: an ``include`` or a name that leads out of it is an error. The
check is on names; a symbolic link inside of the root is the program's own and is followed.

>>> loader = DictLoader({"a/page.txt": "{% include '../b.txt' %}!", "b.txt": "Hello {{ name }}"})
>>> loader.load("a/page.txt").generate(name="Ben")
b'Hello Ben!'
"""

from __future__ import annotations

import os.path
import posixpath
import threading
from collections.abc import Mapping
from typing import Any

from gustnado.errors import UsageError
from gustnado.web.template.errors import TemplatePathError
from gustnado.web.template.template import DEFAULT_AUTOESCAPE, Template

__all__ = ["BaseLoader", "DictLoader", "Loader"]


class BaseLoader:
    """What all loaders share: defaults for their templates, and the cache.

    A subclass defines ``resolve_path`` and ``_create_template``. Several threads may load at once.

    :ivar templates: the compiled templates by their resolved names.
    :ivar lock: held while a template is compiled. It is reentrant, since templates load others.
    """

    def __init__(
        self,
        autoescape: str | None = DEFAULT_AUTOESCAPE,
        namespace: dict[str, Any] | None = None,
        whitespace: str | None = None,
    ) -> None:
        """Make an empty loader.

        :param autoescape: the name of the function that ``{{ }}`` goes through, or ``None``.
        :param namespace: names that all its templates know.
        :param whitespace: see ``filter_whitespace``; by the file's extension when ``None``.
        """
        self.autoescape = autoescape
        self.namespace = namespace or {}
        self.whitespace = whitespace
        self.templates: dict[str, Template] = {}
        self.lock = threading.RLock()
        self._loading: list[str] = []

    def reset(self) -> None:
        """Forget all compiled templates, so that changed files are read anew."""
        with self.lock:
            self.templates = {}

    def resolve_path(self, name: str, parent_path: str | None = None) -> str:
        """Return the one name for the template that the template ``parent_path`` calls ``name``."""
        raise NotImplementedError

    def load(self, name: str, parent_path: str | None = None) -> Template:
        """Return the template ``name``, compiled now or earlier.

        :param parent_path: the template that asks for it; a relative name starts in its directory.
        :raises ParseError: it is not a valid template.
        :raises UsageError: it needs itself to be compiled.
        """
        name = self.resolve_path(name, parent_path=parent_path)
        template = self.templates.get(name)
        if template is not None:
            return template
        with self.lock:
            if name not in self.templates:
                self.templates[name] = self._compile(name)
            return self.templates[name]

    def source_path(self, name: str) -> str | None:
        """Return the path of the file with the text of template ``name``, if it is in a file of its own."""
        return None

    def _compile(self, name: str) -> Template:
        """Return the template made anew. The lock is held, so what is loading is this thread's work."""
        if name in self._loading:
            raise UsageError(f"template needs itself: {' -> '.join([*self._loading, name])}")
        self._loading.append(name)
        try:
            return self._create_template(name)
        finally:
            self._loading.pop()

    def _create_template(self, name: str) -> Template:
        raise NotImplementedError


class Loader(BaseLoader):
    """Loads templates from the directory ``root_directory`` and those below it.

    :param root_directory: its path; relative ones start in the directory that is current now.
    :param kwargs: as for ``BaseLoader``.
    """

    def __init__(self, root_directory: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.root = os.path.abspath(root_directory)

    def resolve_path(self, name: str, parent_path: str | None = None) -> str:
        """Return the path of a template relative to the root, with ``/`` between its parts.

        :param name: relative to the directory of ``parent_path``, or to the root without one; an absolute
            path must lie below the root.
        :raises TemplatePathError: it does not.
        """
        start = self.root
        if parent_path and _is_relative(parent_path):
            start = os.path.dirname(os.path.join(self.root, parent_path))
        path = os.path.normpath(os.path.join(start, name))
        inside = os.path.join(self.root, "")
        if "\0" in name or not os.path.normcase(path).startswith(os.path.normcase(inside)):
            raise TemplatePathError(f"template {name!r} is outside of {self.root}")
        return path[len(inside) :].replace(os.sep, "/")

    def source_path(self, name: str) -> str | None:
        """Return the path of a template's file."""
        return os.path.normpath(os.path.join(self.root, name)) if _is_relative(name) else None

    def _create_template(self, name: str) -> Template:
        with open(os.path.join(self.root, name), "rb") as file:
            return Template(file.read(), name=name, loader=self)


class DictLoader(BaseLoader):
    """Loads templates from a dictionary of their texts; handy in tests.

    :param dict: template texts by name; names use ``/`` for directories.
    :param kwargs: as for ``BaseLoader``.
    """

    def __init__(self, dict: Mapping[str, str | bytes], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dict = dict

    def resolve_path(self, name: str, parent_path: str | None = None) -> str:
        """Return a template's name: relative to the directory of ``parent_path``, if there is one."""
        if parent_path and _is_relative(parent_path) and not name.startswith("/"):
            return posixpath.normpath(posixpath.join(posixpath.dirname(parent_path), name))
        return name

    def _create_template(self, name: str) -> Template:
        return Template(self.dict[name], name=name, loader=self)


def _is_relative(path: str) -> bool:
    """Say whether ``path`` names a template in a loader; ``<string>`` and absolute paths do not."""
    return not path.startswith(("<", "/"))
