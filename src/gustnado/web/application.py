"""``Application``: routes, settings, and what they mean to a server."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

from gustnado.http.delegates import HTTPMessageDelegate
from gustnado.http.server import HTTPServer
from gustnado.util import import_object
from gustnado.web import ui
from gustnado.web.direct_routes import DirectRoutes
from gustnado.web.dispatch import Dispatcher, HandlerDelegate
from gustnado.web.handler import RequestHandler
from gustnado.web.routing import (
    AnyMatches,
    DefaultHostMatches,
    HostMatches,
    ReversibleRouter,
    ReversibleRuleRouter,
    Rule,
)
from gustnado.web.simple_handlers import ErrorHandler
from gustnado.web.static import StaticFileHandler
from gustnado.web.transforms import ContentEncoding, OutputTransform

if TYPE_CHECKING:
    import asyncio

    from gustnado.http.messages import HTTPServerRequest
    from gustnado.web.routing import RuleLike

__all__ = ["Application"]

_BACKLOG = 128


class _ApplicationRouter(ReversibleRuleRouter):
    """Routes whose targets may be handler classes of an application."""

    def __init__(self, application: Application, rules: Iterable[RuleLike] | None = None) -> None:
        self.application = application
        super().__init__(rules)

    def process_rule(self, rule: Rule) -> Rule:
        rule = super().process_rule(rule)
        if isinstance(rule.target, (list, tuple)):
            rule.target = _ApplicationRouter(self.application, rule.target)
        return rule

    def get_target_delegate(
        self, target: Any, request: HTTPServerRequest, **target_params: Any
    ) -> HTTPMessageDelegate | None:
        if isinstance(target, type) and issubclass(target, RequestHandler):
            return self.application.get_handler_delegate(request, target, **target_params)
        return super().get_target_delegate(target, request, **target_params)


class Application(Dispatcher, ReversibleRouter):
    """A web application: handlers by path, and settings.

    ::

        app = Application([
            (r"/", Home),
            (r"/user/([0-9]+)", User, {"database": db}, "user"),
        ], cookie_secret="...", static_path="static")
        app.listen(8888)

    Each route is a tuple ``(pattern, handler[, kwargs[, name]])``, a :class:`~gustnado.web.URLSpec`, or a
    :class:`~gustnado.web.Rule`. The first whose pattern matches the whole path gets the request. The handler
    may be named by a string, ``"module.Class"``, and is imported then.

    :param default_host: what rules added for a host take a request to be for, where no proxy stands between.
    :param transforms: classes of :class:`~gustnado.web.OutputTransform` for each response.
    :param settings: found by handlers as ``self.settings``. Those that this package reads:

        - ``debug``: short for ``autoreload``, ``serve_traceback``, and templates and static versions read anew
          each time. Not for production;
        - ``log_function``: called with each handler when it has finished, in place of the access log; ``None``
          turns the log off;
        - ``default_handler_class``, ``default_handler_args``: who answers where no route matches, in place of
          a plain 404;
        - ``error_page``: the function that makes error pages; see :mod:`gustnado.web.error_pages`;
        - ``json_encoder``, ``json_decoder``: functions that write and read JSON in place of our own;
        - ``debug_hosts``: names under which other machines get the error page of debug mode, too;
        - ``compress_response``: compress responses for clients that want it, with br, zstd or gzip; see
          :class:`~gustnado.web.ContentEncoding` for what should not be;
        - ``cookie_secret``, ``login_url``, ``xsrf_cookies``, ``static_path``, ``template_path``, ``ui_modules`` and
          others: see the handler's methods that they serve.
    """

    def __init__(
        self,
        handlers: Iterable[RuleLike] | None = None,
        default_host: str | None = None,
        transforms: list[type[OutputTransform]] | None = None,
        **settings: Any,
    ) -> None:
        self.transforms: list[type[OutputTransform]] = []
        if transforms is not None:
            self.transforms = transforms
        elif settings.get("compress_response") or settings.get("gzip"):
            self.transforms.append(ContentEncoding)
        self.default_host = default_host
        self.settings: dict[str, Any] = settings
        self.ui_modules: dict[str, Any] = {
            "linkify": ui.Linkify,
            "xsrf_form_html": ui.XSRFFormHTML,
            "Template": ui.TemplateModule,
        }
        self.ui_methods: dict[str, Callable[..., Any]] = {}
        self._load_ui(settings.get("ui_modules", {}), self.ui_modules, _is_ui_module)
        self._load_ui(settings.get("ui_methods", {}), self.ui_methods, _is_ui_method)
        rules = list(handlers or [])
        if settings.get("static_path"):
            rules[:0] = self._static_rules(settings["static_path"])
        if settings.get("debug"):
            for name, value in _DEBUG_SETTINGS:
                settings.setdefault(name, value)
        self.wildcard_router = _ApplicationRouter(self, rules)
        self.default_router = _ApplicationRouter(self, [Rule(AnyMatches(), self.wildcard_router)])
        self._host_rules = False
        if settings.get("autoreload"):
            self._start_reloader()

    def _start_reloader(self) -> None:
        settings = self.settings
        reloader = import_object(settings.get("autoreload_module", "gustnado.autoreload"))
        reloader.start()
        if settings.get("template_path") and settings.get("compiled_template_cache", True):
            reloader.watch(settings["template_path"])  # those that are read anew need no restart

    def _static_rules(self, path: str) -> list[RuleLike]:
        settings = self.settings
        prefix = settings.get("static_url_prefix", "/static/")
        handler = settings.get("static_handler_class", StaticFileHandler)
        arguments = dict(settings.get("static_handler_args", {}), path=path)
        patterns = (rf"{re.escape(prefix)}(.*)", r"/(favicon\.ico)", r"/(robots\.txt)")
        return [(pattern, handler, arguments) for pattern in patterns]

    def _load_ui(self, source: Any, into: dict[str, Any], wanted: Callable[[str, Any], bool]) -> None:
        """Take modules or methods from a dict, from a Python module, or from a list of these."""
        if isinstance(source, list):
            for one in source:
                self._load_ui(one, into, wanted)
        else:
            named = source if isinstance(source, dict) else vars(source)
            into.update({name: value for name, value in named.items() if wanted(name, value)})

    def listen(
        self,
        port: int,
        address: str | None = None,
        *,
        family: socket.AddressFamily = socket.AF_UNSPEC,
        backlog: int = _BACKLOG,
        flags: int | None = None,
        reuse_port: bool = False,
        **kwargs: Any,
    ) -> HTTPServer:
        """Serve this application on a port.

        It binds at once, so that a port in use is an error here; requests are answered as soon as the loop runs.

        :param address: a name or IP address; ``None`` is all interfaces.
        :param kwargs: for :class:`~gustnado.http.HTTPServer`.
        :raises OSError: where it cannot bind.
        """
        server = HTTPServer(self, **kwargs)
        server.listen(
            port, address=address, family=family, backlog=backlog, flags=flags, reuse_port=reuse_port
        )
        return server

    def add_handlers(self, host_pattern: str, host_handlers: Iterable[RuleLike]) -> None:
        """Add routes for a host; they come before those that are for all hosts.

        :param host_pattern: a regular expression for the whole host name, as ``r"(www\\.)?example\\.org"``.
        """
        rule = Rule(HostMatches(host_pattern), _ApplicationRouter(self, host_handlers))
        self.default_router.rules.insert(-1, rule)
        self._host_rules = True
        self.wildcard_router._rules.forget()  # a path alone does not tell any more
        if self.default_host is not None:
            matcher = DefaultHostMatches(self, cast(HostMatches, rule.matcher).host_pattern)
            self.wildcard_router.add_rules([(matcher, host_handlers)])

    def add_transform(self, transform_class: type[OutputTransform]) -> None:
        """Have each response go through a transform, after those that there are."""
        self.transforms.append(transform_class)

    def make_transforms(self, request: HTTPServerRequest) -> list[OutputTransform]:
        """The transforms of one response."""
        return [transform(request) for transform in self.transforms]

    def direct_routes(self) -> DirectRoutes:
        """The routes that need no router: all that is needed of them is worked out once, until the rules change."""
        rules = self.wildcard_router._rules
        if rules.direct is None:
            rules.direct = DirectRoutes(rules if self._is_direct() else ())
            rules.decided = rules.direct.decided
        return rules.direct

    def _is_direct(self) -> bool:
        """Whether nothing but the routes for all hosts has a say, and no subclass either."""
        cls = type(self)
        return (
            not self._host_rules
            and cls.find_handler is Application.find_handler
            and cls.get_handler_delegate is Application.get_handler_delegate
        )

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate:
        """The delegate for a request: of the first route that matches, else of the default handler."""
        route = self.default_router.find_handler(request)
        if route is not None:
            return route
        default = self.settings.get("default_handler_class")
        if default:
            return self.get_handler_delegate(request, default, self.settings.get("default_handler_args", {}))
        return self.get_handler_delegate(request, ErrorHandler, {"status_code": 404})

    def get_handler_delegate(
        self,
        request: HTTPServerRequest,
        target_class: type[RequestHandler],
        target_kwargs: dict[str, Any] | None = None,
        path_args: list[bytes] | None = None,
        path_kwargs: dict[str, bytes] | None = None,
    ) -> HandlerDelegate:
        """A delegate that answers ``request`` by a handler of ``target_class``.

        :param target_kwargs: for its ``initialize``.
        :param path_args: for its method; so are ``path_kwargs``.
        """
        return HandlerDelegate(self, request, target_class, target_kwargs, path_args, path_kwargs)

    def __call__(self, request: HTTPServerRequest) -> asyncio.Future[None] | None:
        """Answer a request that has arrived whole: for servers that give requests to a callable."""
        delegate = self.find_handler(request)
        execute = getattr(delegate, "execute", None)
        if execute is None:
            delegate.finish()
            return None
        return cast("asyncio.Future[None] | None", execute())

    def reverse_url(self, name: str, *args: Any) -> str:
        """The path of the route called ``name``.

        :param args: for the groups of its pattern; made into strings and percent-encoded.
        :raises KeyError: where there is no such route.
        :raises ValueError: where its path cannot be made from ``args``.
        """
        url = self.default_router.reverse_url(name, *args)
        if url is None:
            raise KeyError(f"{name} not found in named urls")
        return url


_DEBUG_SETTINGS = (
    ("autoreload", True),
    ("compiled_template_cache", False),
    ("static_hash_cache", False),
    ("serve_traceback", True),
)


def _is_ui_module(name: str, value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, ui.UIModule) and value is not ui.UIModule


def _is_ui_method(name: str, value: Any) -> bool:
    return not name.startswith("_") and callable(value) and name[0].lower() == name[0]
