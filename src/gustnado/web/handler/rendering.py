"""Pages from templates, with what their UI modules add to them.

``render`` renders a template, asks every UI module that took part for its scripts, styles and HTML, puts
those before ``</head>`` and ``</body>``, and finishes the response. ``render_string`` only renders.

Templates are found by a loader. There is one for each template directory of an application; it compiles
a template when it is first used, which reads files in the caller's thread: see ``gustnado.web.template``.
"""

from __future__ import annotations

import functools
import os.path
import sys
import threading
from collections.abc import Callable, Iterable
from types import FrameType
from typing import TYPE_CHECKING, Any, ClassVar, cast

from gustnado.errors import UsageError
from gustnado.escape import to_unicode, utf8, xhtml_escape
from gustnado.util import ObjectDict
from gustnado.web.handler.localization import LocalizationMixin
from gustnado.web.redirects import is_absolute
from gustnado.web.ui import PageParts, UIModule, UIModuleNamespace

if TYPE_CHECKING:
    from asyncio import Future

    from gustnado.web.application import Application
    from gustnado.web.handler import RequestHandler
    from gustnado.web.template.loader import BaseLoader
    from gustnado.web.template.template import Template

__all__ = ["RenderingMixin", "TemplateLoaders", "template_loaders"]


class TemplateLoaders:
    """The template loaders of one application.

    A loader belongs to a directory and to the method that made it: handlers that override
    ``create_template_loader`` do not get the loaders of those that do not.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loaders: dict[tuple[str, object], BaseLoader] = {}

    def get(self, path: str, create: Callable[[str], BaseLoader]) -> BaseLoader:
        """Return the loader for directory ``path``; if need be, ``create(path)`` makes it."""
        key = path, getattr(create, "__func__", create)
        loader = self._loaders.get(key)
        if loader is not None:
            return loader
        with self._lock:
            if key not in self._loaders:
                self._loaders[key] = create(path)
            return self._loaders[key]

    def reset(self) -> None:
        """Make all loaders forget their compiled templates."""
        with self._lock:
            for loader in self._loaders.values():
                loader.reset()


def template_loaders(application: Application) -> TemplateLoaders:
    """Return the loaders of ``application``."""
    loaders = vars(application).get("_template_loaders")
    if loaders is None:
        loaders = vars(application).setdefault("_template_loaders", TemplateLoaders())
    return loaders  # type: ignore[no-any-return]


class RenderingMixin(LocalizationMixin):
    """``render`` and its kin, and ``ui``: the UI methods and modules that templates can use."""

    #: Tornado keeps its loaders here, and programs clear it between tests. It is always empty: ours belong
    #: to the application.
    _template_loaders: ClassVar[dict[str, BaseLoader]] = {}

    _ui: ObjectDict | None = None
    _active_modules: dict[str, UIModule] | None = None

    @property
    def ui(self) -> ObjectDict:
        """The application's UI methods, bound to this handler, and its UI modules as ``modules``."""
        if self._ui is None:
            handler = cast("RequestHandler", self)
            methods = handler.application.ui_methods.items()
            self._ui = ui = ObjectDict((name, functools.partial(method, handler)) for name, method in methods)
            # {% module %} uses the second name, which no variable of a page hides by accident.
            ui["modules"] = ui["_tt_modules"] = UIModuleNamespace(handler, handler.application.ui_modules)
        return self._ui

    def _release_ui(self) -> None:
        """Forget the UI methods and modules, which refer to this handler, so that it is freed at once."""
        self._ui = self._active_modules = None

    # -- rendering

    def render(self, template_name: str, **kwargs: Any) -> Future[None]:
        """Finish the response with the template ``template_name``, rendered with ``kwargs``.

        :returns: the future of ``finish``. It need not be awaited.
        :raises RuntimeError: the response is finished already.
        :raises UsageError: a UI module has scripts or styles for the page, but the page has no ``</head>``
            or ``</body>`` to put them before.
        """
        if self._finished:
            raise RuntimeError("Cannot render() after finish()")
        html = self.render_string(template_name, **kwargs)
        if self._active_modules:
            html = self._add_page_parts(html, PageParts.of(self._active_modules.values()))
        return self.finish(html)

    def render_string(self, template_name: str, **kwargs: Any) -> bytes:
        """Return the template ``template_name``, rendered with ``kwargs``, in UTF-8.

        Without a template path the template is looked for in the directory of the calling file. With the
        setting ``compiled_template_cache`` false, as in debug mode, all templates are read anew.
        """
        return self._find_template(template_name).generate(**self._names_for(kwargs))

    async def render_stream(self, template_name: str, **kwargs: Any) -> None:
        """Send the template ``template_name`` piece by piece while it is rendered, and finish the response.

        For long pages: their beginning is there early, and a slow client slows the rendering down. There is no
        ``ETag``. An exception within the page cuts the response short, as its head has been sent.

        :raises RuntimeError: the response is finished already.
        :raises UsageError: a UI module has scripts, styles or HTML for the page's head or the end of its body. These
            are known only when it has been rendered; use ``render`` for such a page.
        """
        if self._finished:
            raise RuntimeError("Cannot render_stream() after finish()")
        for piece in self._find_template(template_name).stream(**self._names_for(kwargs)):
            self._refuse_page_parts(template_name)
            self.write(piece)
            await self.flush()
        await self.finish()

    def _refuse_page_parts(self, template_name: str) -> None:
        modules = self._active_modules or {}
        for name, module in modules.items():
            if PageParts.of([module]) != PageParts():
                raise UsageError(
                    f"the UI module {name!r} has parts for the head or the end of {template_name!r}, "
                    "which is streamed and has been sent in part: use render()"
                )

    def _find_template(self, template_name: str) -> Template:
        path = self.get_template_path() or _directory_of_caller()
        loaders = template_loaders(self.application)
        if not self.settings.get("compiled_template_cache", True):
            loaders.reset()
        return loaders.get(path, self.create_template_loader).load(template_name)

    def _names_for(self, given: dict[str, Any]) -> dict[str, Any]:
        return {**self.get_template_namespace(), **given}

    def get_template_namespace(self) -> dict[str, Any]:
        """Return the names that every template of this handler knows; override it to add to them.

        What is given to ``render`` goes before these, and these before the names that all templates know.
        """
        handler = cast("RequestHandler", self)
        locale = handler.locale
        return {
            "handler": handler,
            "request": handler.request,
            "current_user": handler.current_user,
            "locale": locale,
            "_": locale.translate,
            "pgettext": locale.pgettext,
            "static_url": handler.static_url,
            "xsrf_form_html": handler.xsrf_form_html,
            "reverse_url": handler.reverse_url,
            **self.ui,
        }

    def get_template_path(self) -> str | None:
        """Return the directory of this handler's templates: the setting ``template_path``.

        Override it for handlers with templates of their own. ``None`` means the directory of the file that
        calls ``render``.
        """
        path: str | None = self.settings.get("template_path")
        return path

    def create_template_loader(self, template_path: str) -> BaseLoader:
        """Return a new loader for the templates below ``template_path``. It is kept, and called once.

        It is the setting ``template_loader`` where there is one; else a ``Loader`` with the settings
        ``autoescape`` (``None`` is no escaping) and ``template_whitespace``.
        """
        settings = self.settings
        if "template_loader" in settings:
            return settings["template_loader"]  # type: ignore[no-any-return]
        from gustnado.web.template.loader import Loader  # here, so that others do not pay for importing it

        arguments = {"autoescape": "autoescape", "template_whitespace": "whitespace"}
        given = {argument: settings[name] for name, argument in arguments.items() if name in settings}
        return Loader(template_path, **given)

    # -- what modules add to a page

    def render_linked_js(self, js_files: Iterable[str]) -> str:
        """Return the ``<script>`` elements for the files of a page's modules; override to change them."""
        template = '<script src="{}" type="text/javascript"></script>'
        return "".join(map(template.format, self._resource_urls(js_files)))

    def render_embed_js(self, js_embed: Iterable[bytes]) -> bytes:
        """Return the ``<script>`` element for the scripts of a page's modules; override to change it."""
        script = b"\n".join(js_embed)
        return b'<script type="text/javascript">\n//<![CDATA[\n' + script + b"\n//]]>\n</script>"

    def render_linked_css(self, css_files: Iterable[str]) -> str:
        """Return the ``<link>`` elements for a page's style sheets; override to change them."""
        template = '<link href="{}" type="text/css" rel="stylesheet"/>'
        return "".join(map(template.format, self._resource_urls(css_files)))

    def render_embed_css(self, css_embed: Iterable[bytes]) -> bytes:
        """Return the ``<style>`` element for the styles of a page's modules; override to change it."""
        return b'<style type="text/css">\n' + b"\n".join(css_embed) + b"\n</style>"

    def _resource_urls(self, files: Iterable[str]) -> list[str]:
        """Return each file's URL once, escaped for an attribute; relative ones are static files."""
        urls = (file if is_absolute(file) else self.static_url(file) for file in files)
        return [xhtml_escape(url) for url in dict.fromkeys(urls)]

    def _add_page_parts(self, html: bytes, parts: PageParts) -> bytes:
        head, body = [], []
        if parts.css_files:
            head.append(utf8(self.render_linked_css(parts.css_files)))
        if parts.embedded_css:
            head.append(self.render_embed_css(parts.embedded_css))
        if parts.html_head:
            head.append(b"".join(parts.html_head))
        if parts.javascript_files:
            body.append(utf8(self.render_linked_js(parts.javascript_files)))
        if parts.embedded_javascript:
            body.append(self.render_embed_js(parts.embedded_javascript))
        if parts.html_body:
            body.append(b"".join(parts.html_body))
        html = _insert(html, body, html.rfind(b"</body>"), "</body>")
        return _insert(html, head, html.find(b"</head>"), "</head>")


def _insert(html: bytes, parts: list[bytes], position: int, tag: str) -> bytes:
    """Return ``html`` with ``parts``, each and a line break, at ``position``, which is where ``tag`` is."""
    if not parts:
        return html
    if position < 0:
        raise UsageError(f"UI modules have something to put before {tag}, but the page has none")
    added = b"".join(part + b"\n" for part in parts)
    return html[:position] + added + html[position:]


def _directory_of_caller() -> str:
    """Return the directory of the file that asked for a template."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _is_ours(frame):
        frame = frame.f_back
    if frame is None:
        raise UsageError("no template_path is set, and no file called render_string")
    return os.path.dirname(os.path.abspath(frame.f_code.co_filename))


def _is_ours(frame: FrameType) -> bool:
    """Say whether ``frame`` runs this package's code or a template's."""
    module = to_unicode(frame.f_globals.get("__name__") or "")
    return module.startswith("gustnado.web.") or "_tt_join" in frame.f_globals
