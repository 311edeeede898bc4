from __future__ import annotations

import os
import threading
import types
from typing import Any

import pytest

from gustnado.errors import UsageError
from gustnado.http.headers import HTTPHeaders
from gustnado.web import Application as RealApplication
from gustnado.web.handler import RequestHandler
from gustnado.web.handler.rendering import RenderingMixin, TemplateLoaders, template_loaders
from gustnado.web.template import DictLoader, Loader, Template, TemplatePathError
from gustnado.web.ui import TemplateModule, UIModule


class Application:
    """What of an application rendering needs."""

    def __init__(self, templates=None, ui_modules=None, ui_methods=None, **settings):
        if templates is not None:
            settings["template_loader"] = DictLoader(templates)
        self.settings = settings
        self.ui_modules = {"Template": TemplateModule, **(ui_modules or {})}
        self.ui_methods = ui_methods or {}


class Page(RenderingMixin):
    """A handler without a connection: ``body`` is what it finished with."""

    current_user = "ann"
    body: Any = None
    request: Any

    def __init__(self, application: Any) -> None:
        self.application = application
        self._finished = False
        self.request = types.SimpleNamespace(headers=HTTPHeaders())

    def finish(self, chunk: Any = None) -> Any:
        self.body = chunk
        self._finished = True
        return "future"

    def static_url(self, path, include_host=None, **kwargs):
        return f"/static/{path}?v=1&x"

    def reverse_url(self, name, *args):
        return f"/{name}"

    def xsrf_form_html(self):
        return "<input>"


class Widget(UIModule):
    """Adds everything that a module can add."""

    def render(self, text="w"):
        return f"<{text}>"

    def embedded_javascript(self):
        return "js()"

    def javascript_files(self):
        return ["a.js", "https://x/b.js"]

    def embedded_css(self):
        return b"css{}"

    def css_files(self):
        return "a.css"

    def html_head(self):
        return "<meta>"

    def html_body(self):
        return "<footer>"


def page_of(template, /, ui_modules=None, **kwargs):
    handler = Page(Application({"p.html": template}, ui_modules))
    handler.render("p.html", **kwargs)
    return handler.body.decode()


class TestRender:
    def test_finishes_with_the_page(self):
        handler = Page(Application({"p.html": "Hello {{ name }}"}))
        result: Any = handler.render("p.html", name="<Ben>")
        assert result == "future"
        assert handler.body == b"Hello &lt;Ben&gt;"

    def test_must_not_follow_finish(self):
        handler = Page(Application({"p.html": ""}))
        handler.finish()
        with pytest.raises(RuntimeError, match="after finish"):
            handler.render("p.html")

    def test_puts_what_modules_add_into_head_and_body(self):
        page = page_of("<head></head><body>{% module Widget() %}</body>", {"Widget": Widget})
        assert page == (
            "<head>"
            '<link href="/static/a.css?v=1&amp;x" type="text/css" rel="stylesheet"/>\n'
            '<style type="text/css">\ncss{}\n</style>\n'
            "<meta>\n"
            "</head><body><w>"
            '<script src="/static/a.js?v=1&amp;x" type="text/javascript"></script>'
            '<script src="https://x/b.js" type="text/javascript"></script>\n'
            '<script type="text/javascript">\n//<![CDATA[\njs()\n//]]>\n</script>\n'
            "<footer>\n"
            "</body>"
        )

    def test_adds_nothing_for_modules_that_were_not_used(self):
        assert page_of("<head></head><body></body>", {"Widget": Widget}) == "<head></head><body></body>"

    def test_adds_once_what_is_used_often(self):
        module = "{% module Widget() %}"
        page = page_of(f"<head></head>{module}{module}</body>", {"Widget": Widget, "Same": Widget})
        assert page.count("<w>") == 2
        assert page.count("js()") == page.count("a.css") == page.count("<footer>") == 1

    def test_a_file_that_two_modules_want_is_linked_once(self):
        page = page_of(
            "<head></head>{% module A() %}{% module B() %}</body>",
            {"A": Widget, "B": type("B", (Widget,), {})},
        )
        assert page.count("a.js") == page.count("a.css") == 1
        assert page.count("js()") == 2

    def test_the_last_body_end_and_the_first_head_end_count(self):
        page = page_of("</head></head>{% module W() %}</body></body>", {"W": Widget})
        assert page.startswith("<link")
        assert page.endswith("<footer>\n</body>")

    @pytest.mark.parametrize("template", ["{% module W() %}</body>", "</head>{% module W() %}"])
    def test_a_page_without_a_place_for_additions_is_an_error(self, template):
        with pytest.raises(UsageError, match=r"before </(head|body)>, but the page has none"):
            page_of(template, {"W": Widget})

    def test_a_handler_may_change_the_elements(self):
        class Modern(Page):
            def render_linked_js(self, js_files):
                return f"[{' '.join(js_files)}]"

            def render_embed_js(self, js_embed):
                return b"(" + b",".join(js_embed) + b")"

            def render_linked_css(self, css_files):
                return f"[{' '.join(css_files)}]"

            def render_embed_css(self, css_embed):
                return b"(" + b",".join(css_embed) + b")"

        handler = Modern(Application({"p.html": "</head>{% module W() %}</body>"}, {"W": Widget}))
        handler.render("p.html")
        assert handler.body == (
            b"[a.css]\n(css{})\n<meta>\n</head><w>[a.js https://x/b.js]\n(js())\n<footer>\n</body>"
        )


class TestNamespace:
    def test_holds_the_handler_and_its_kin(self):
        text = (
            "{{ handler.body }} {{ current_user }} {{ locale.code }} {{ _('hi') }} {{ reverse_url('home') }}"
        )
        text += " {% raw static_url('a') %}{% raw xsrf_form_html() %}{{ pgettext('c', 'm') }}"
        assert page_of(text) == "None ann en_US hi /home /static/a?v=1&x<input>m"

    def test_holds_ui_methods_bound_to_the_handler(self):
        def greet(handler, name, mark="!"):
            return f"{handler.current_user} {name}{mark}"

        handler = Page(Application({"p.html": "{{ greet('x', mark='?') }}"}, ui_methods={"greet": greet}))
        assert handler.render_string("p.html") == b"ann x?"

    def test_arguments_go_before_it_and_it_before_the_standard_names(self):
        class Mine(Page):
            def get_template_namespace(self):
                return super().get_template_namespace() | {"squeeze": "mine", "a": "mine"}

        handler = Mine(Application({"p.html": "{{ squeeze }} {{ a }} {{ current_user }}"}))
        assert handler.render_string("p.html", a="given", current_user="bob") == b"mine given bob"

    def test_modules_survive_a_variable_of_that_name(self):
        assert page_of("{% module W() %}{{ modules }}", {"W": Plain}, modules=1) == "<p>1"


class Plain(UIModule):
    def render(self):
        return "<p>"


class TestUI:
    def test_is_made_once_and_can_be_added_to(self):
        handler = Page(Application({"p.html": "{{ extra }}"}))
        handler.ui["extra"] = "more"
        assert handler.ui.extra == "more"
        assert handler.render_string("p.html") == b"more"

    def test_can_be_released(self):
        handler = Page(Application({"p.html": "{% module W() %}"}, {"W": Plain}))
        handler.render("p.html")
        handler._release_ui()
        assert handler._ui is handler._active_modules is None


class TestLoaders:
    def test_templates_come_from_the_template_path(self, tmp_path):
        (tmp_path / "p.html").write_text("a  {{ x }}")
        handler = Page(Application(template_path=str(tmp_path)))
        assert handler.render_string("p.html", x="<") == b"a &lt;"

    def test_settings_reach_the_loader(self, tmp_path):
        (tmp_path / "p.html").write_text("a  {{ x }}")
        settings = {"template_path": str(tmp_path), "autoescape": None, "template_whitespace": "all"}
        assert Page(Application(**settings)).render_string("p.html", x="<") == b"a  <"

    def test_do_not_leave_the_template_path(self, tmp_path):
        with pytest.raises(TemplatePathError):
            Page(Application(template_path=str(tmp_path))).render_string("../x")

    def test_without_a_path_it_is_the_callers_directory(self):
        paths = []

        class Here(Page):
            def create_template_loader(self, template_path):
                paths.append(template_path)
                return DictLoader({"p.html": "{% module Template('q.html') %}", "q.html": "q"})

        handler = Here(Application())
        assert handler.render_string("p.html") == b"q"
        assert paths == [os.path.dirname(os.path.abspath(__file__))]

    def test_a_handler_may_have_a_path_of_its_own(self, tmp_path):
        (tmp_path / "p.html").write_text("mine")

        class Own(Page):
            def get_template_path(self):
                return str(tmp_path)

        assert Own(Application(template_path="/nowhere")).render_string("p.html") == b"mine"

    def test_are_kept_for_the_application(self, tmp_path):
        (tmp_path / "p.html").write_text("old")
        application: Any = Application(template_path=str(tmp_path))
        assert Page(application).render_string("p.html") == b"old"
        (tmp_path / "p.html").write_text("new")
        assert Page(application).render_string("p.html") == b"old"
        assert Page(Application(template_path=str(tmp_path))).render_string("p.html") == b"new"
        template_loaders(application).reset()
        assert Page(application).render_string("p.html") == b"new"

    def test_differ_where_handlers_make_them_differently(self, tmp_path):
        (tmp_path / "p.html").write_text("{{ x }}")

        class Unescaped(Page):
            def create_template_loader(self, template_path):
                return Loader(template_path, autoescape=None)

        application = Application(template_path=str(tmp_path))
        assert Page(application).render_string("p.html", x="<") == b"&lt;"
        assert Unescaped(application).render_string("p.html", x="<") == b"<"
        assert Page(application).render_string("p.html", x="<") == b"&lt;"

    def test_are_made_once_by_threads_at_once(self):
        loaders, made, got = TemplateLoaders(), [], []
        barrier = threading.Barrier(4)

        def create(path):
            made.append(path)
            return DictLoader({})

        def work():
            barrier.wait()
            got.append(loaders.get("p", create))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert made == ["p"]
        assert len(set(got)) == 1

    def test_tornados_shared_cache_can_be_cleared(self):
        RequestHandler._template_loaders.clear()
        assert RequestHandler._template_loaders == {}


class TestRenderStream:
    LONG = "<head></head>{% for n in ns %}<i>{{ n }}</i>{% end %}{{ end() }}"

    def app(self, template, **settings):
        """An application with a page that is streamed; the page's ``end`` is called last."""

        class Streamed(RequestHandler):
            async def get(self):
                await self.render_stream("page", ns=range(2000), end=self.settings.get("end", str))

        loader = DictLoader({"page": template})
        return RealApplication([("/", Streamed)], template_loader=loader, **settings)

    def test_the_page_leaves_in_pieces(self, fetch):
        response = fetch(self.app(self.LONG), "/")
        assert response.body == Template(self.LONG).generate(ns=range(2000), end=str)
        assert len(response.chunks) > 1
        assert "Etag" not in response.headers

    def test_an_exception_cuts_it_short(self, fetch, expect_log):
        with expect_log("gustnado.application", "Uncaught exception"):
            with expect_log("gustnado.general", "after headers written"):
                with pytest.raises(ConnectionAbortedError):
                    fetch(self.app(self.LONG, end=lambda: 1 / 0), "/")

    def test_an_exception_in_the_first_piece_is_an_error_page(self, fetch, expect_log):
        with expect_log("gustnado.application", "Uncaught exception"):
            assert fetch(self.app("{{ 1 / 0 }}"), "/").code == 500

    def test_modules_may_take_part_but_add_nothing_to_the_page(self, fetch, expect_log):
        class Styled(UIModule):
            def render(self):
                return "styled"

            def css_files(self):
                return "style.css"

        class Plain(UIModule):
            def render(self):
                return "plain"

        modules = {"Styled": Styled, "Plain": Plain}
        assert fetch(self.app("{% module Plain() %}", ui_modules=modules), "/").text == "plain"
        with expect_log("gustnado.application", "Uncaught exception") as seen:
            assert fetch(self.app("{% module Styled() %}", ui_modules=modules), "/").code == 500
        assert "'Styled' has parts" in str(seen.records[0].exc_info[1])

    def test_not_after_the_end(self, run):
        page = Page(Application())
        page._finished = True
        with pytest.raises(RuntimeError, match="after finish"):
            run(page.render_stream("page"))


@pytest.mark.parametrize(("cached", "second"), [(True, b"old part"), (False, b"new part")])
def test_in_debug_mode_templates_are_read_anew(tmp_path, fetch_all, cached, second):
    (tmp_path / "page").write_text("{% include part %} part")
    (tmp_path / "part").write_text("old")

    class Show(RequestHandler):
        def get(self):
            self.render("page")

        def post(self):
            (tmp_path / "part").write_text("new")

    app = RealApplication([("/", Show)], template_path=str(tmp_path), compiled_template_cache=cached)
    first, _, again = fetch_all(app, [("/", {}), ("/", {"method": "POST"}), ("/", {})])
    assert (first.body, again.body) == (b"old part", second)
