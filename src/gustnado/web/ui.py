"""UI modules: parts of pages with code, scripts and styles of their own.

A module is a class with a ``render`` method. ``{% module Entry(entry, show_comments=True) %}`` in a template
puts its output there, and whatever scripts, styles and HTML it names go to the head or the end of the
page, once, however often it is used::

    class Entry(UIModule):
        def render(self, entry, show_comments=False):
            return self.render_string("module-entry.html", entry=entry, show_comments=show_comments)

        def css_files(self):
            return "entry.css"

    app = Application(routes, ui_modules={"Entry": Entry})

There is one instance of a module a request, made when it is first used. Its output is not escaped: a module
escapes what it puts in, most easily by ``render_string`` with a template of its own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gustnado.escape import linkify, to_unicode, utf8

if TYPE_CHECKING:
    from gustnado.web.handler import RequestHandler

__all__ = [
    "Linkify",
    "PageParts",
    "TemplateModule",
    "UIModule",
    "UIModuleNamespace",
    "XSRFFormHTML",
]


class UIModule:
    """A part of a page. Subclasses override ``render``, and what else they need.

    The other methods are called once, after the page is rendered; ``None`` or nothing adds nothing.

    :ivar handler: the handler whose page it is.
    :ivar request: the request that is answered.
    :ivar ui: UI methods and modules, as in templates.
    :ivar locale: the handler's locale.
    """

    def __init__(self, handler: RequestHandler) -> None:
        self.handler = handler
        self.request = handler.request
        self.ui = handler.ui
        self.locale = handler.locale

    @property
    def current_user(self) -> Any:
        """The handler's user, asked for when it is first wanted."""
        return self.handler.current_user

    def render(self, *args: Any, **kwargs: Any) -> str | bytes:
        """Return this module's output: HTML, with everything in it escaped that needs it."""
        raise NotImplementedError

    def embedded_javascript(self) -> str | bytes | None:
        """Return JavaScript for the end of the page's body."""
        return None

    def javascript_files(self) -> str | bytes | Iterable[str] | None:
        """Return one or more JavaScript files: URLs, or paths of static files."""
        return None

    def embedded_css(self) -> str | bytes | None:
        """Return styles for the page's head."""
        return None

    def css_files(self) -> str | bytes | Iterable[str] | None:
        """Return one or more style sheets: URLs, or paths of static files."""
        return None

    def html_head(self) -> str | bytes | None:
        """Return HTML for the end of the page's head."""
        return None

    def html_body(self) -> str | bytes | None:
        """Return HTML for the end of the page's body."""
        return None

    def render_string(self, path: str, **kwargs: Any) -> bytes:
        """Return the template ``path``, rendered as the handler's own ``render_string`` does."""
        return self.handler.render_string(path, **kwargs)


class TemplateModule(UIModule):
    """``{% module Template("part.html", x=1) %}``: a template with variables of its own.

    Unlike an included one it sees only what it is given. It can name scripts and styles by calling
    ``set_resources`` with the names of ``UIModule``'s methods::

        {{ set_resources(javascript_files="part.js", embedded_css=".part { color: red }") }}

    A template must name the same each time that it is used in a page.
    """

    def __init__(self, handler: RequestHandler) -> None:
        super().__init__(handler)
        self._resources: dict[str, dict[str, Any]] = {}  # in the order of first use

    def render(self, path: str, **kwargs: Any) -> bytes:
        """Return the template ``path`` rendered with ``kwargs``.

        :raises ValueError: it names other resources than the last time.
        """
        set_resources = functools.partial(self._set_resources, path)
        return self.render_string(path, **{"set_resources": set_resources, **kwargs})

    def _set_resources(self, path: str, /, **resources: Any) -> str:
        if self._resources.setdefault(path, resources) != resources:
            raise ValueError(f"set_resources called with other resources than before for {path}")
        return ""

    def _values(self, name: str) -> Iterator[Any]:
        return (resources[name] for resources in self._resources.values() if name in resources)

    def _files(self, name: str) -> list[str]:
        return [file for value in self._values(name) for file in _as_files(value)]

    def embedded_javascript(self) -> str:
        """Return the scripts of all templates, each on a line of its own."""
        return "\n".join(self._values("embedded_javascript"))

    def javascript_files(self) -> list[str]:
        """Return the JavaScript files of all templates."""
        return self._files("javascript_files")

    def embedded_css(self) -> str:
        """Return the styles of all templates, each on a line of its own."""
        return "\n".join(self._values("embedded_css"))

    def css_files(self) -> list[str]:
        """Return the style sheets of all templates."""
        return self._files("css_files")

    def html_head(self) -> str:
        """Return the HTML of all templates for the head."""
        return "".join(self._values("html_head"))

    def html_body(self) -> str:
        """Return the HTML of all templates for the end of the body."""
        return "".join(self._values("html_body"))


class Linkify(UIModule):
    """``{% module linkify(text) %}``: text with its URLs made into links."""

    def render(self, text: str, **kwargs: Any) -> str:
        """Return ``text`` escaped and linked; see ``gustnado.escape.linkify``."""
        return linkify(text, **kwargs)


class XSRFFormHTML(UIModule):
    """``{% module xsrf_form_html() %}``: the hidden field that each form needs."""

    def render(self) -> str:
        """Return the ``<input/>`` element."""
        return self.handler.xsrf_form_html()


class UIModuleNamespace:
    """``modules`` in templates: each UI module as a function that returns its output.

    :param handler: the handler whose page it is.
    :param ui_modules: the modules by name.
    """

    def __init__(self, handler: RequestHandler, ui_modules: Mapping[str, type[UIModule]]) -> None:
        self.handler = handler
        self.ui_modules = ui_modules

    def __getitem__(self, name: str) -> Callable[..., str]:
        return functools.partial(_render_module, self.handler, name, self.ui_modules[name])

    def __getattr__(self, name: str) -> Callable[..., str]:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"there is no UI module {name!r}") from None


def _render_module(
    handler: RequestHandler, name: str, module: type[UIModule], /, *args: Any, **kwargs: Any
) -> str:
    if handler._active_modules is None:
        handler._active_modules = {}
    if name not in handler._active_modules:
        handler._active_modules[name] = module(handler)
    return to_unicode(handler._active_modules[name].render(*args, **kwargs))


@dataclass
class PageParts:
    """What the modules of a page add to it, in the order in which they were first used."""

    embedded_javascript: list[bytes] = field(default_factory=list)
    javascript_files: list[str] = field(default_factory=list)
    embedded_css: list[bytes] = field(default_factory=list)
    css_files: list[str] = field(default_factory=list)
    html_head: list[bytes] = field(default_factory=list)
    html_body: list[bytes] = field(default_factory=list)

    @classmethod
    def of(cls, modules: Iterable[UIModule]) -> PageParts:
        """Return the parts of ``modules``."""
        parts = cls()
        for module in modules:
            parts.embedded_javascript += _as_parts(module.embedded_javascript())
            parts.javascript_files += _as_files(module.javascript_files())
            parts.embedded_css += _as_parts(module.embedded_css())
            parts.css_files += _as_files(module.css_files())
            parts.html_head += _as_parts(module.html_head())
            parts.html_body += _as_parts(module.html_body())
        return parts


def _as_parts(value: str | bytes | None) -> list[bytes]:
    return [utf8(value)] if value else []


def _as_files(value: str | bytes | Iterable[str] | None) -> list[str]:
    if isinstance(value, (str, bytes)):
        return [to_unicode(value)] if value else []
    return list(value or ())
