from __future__ import annotations

import types
from typing import Any

import pytest

from gustnado.util import ObjectDict
from gustnado.web.template import DictLoader
from gustnado.web.ui import Linkify, PageParts, TemplateModule, UIModule, UIModuleNamespace, XSRFFormHTML


class Handler:
    """What of a handler modules need."""

    request = types.SimpleNamespace()
    ui = ObjectDict(extra=1)
    locale = "locale"
    current_user = "ann"
    _active_modules: dict[str, UIModule] | None = None

    def __init__(self, **templates):
        self.loader = DictLoader(templates)

    def render_string(self, path, **kwargs):
        return self.loader.load(path).generate(**kwargs)

    def xsrf_form_html(self):
        return "<input>"


class Counter(UIModule):
    def __init__(self, handler):
        super().__init__(handler)
        self.count = 0

    def render(self, step=1):
        self.count += step
        return b"%d" % self.count


def handler_of(**templates: str) -> Any:
    return Handler(**templates)


class TestUIModule:
    def test_knows_its_handler(self):
        handler = handler_of()
        module: Any = UIModule(handler)
        assert (module.handler, module.request, module.ui) == (handler, handler.request, handler.ui)
        assert (module.locale, module.current_user) == ("locale", "ann")

    def test_asks_for_the_user_when_it_is_wanted(self):
        handler = handler_of()
        module = UIModule(handler)
        handler.current_user = "bob"
        assert module.current_user == "bob"

    def test_renders_the_handlers_templates(self):
        assert UIModule(handler_of(a="{{ x }}")).render_string("a", x="<") == b"&lt;"

    def test_must_render(self):
        with pytest.raises(NotImplementedError):
            UIModule(handler_of()).render()

    def test_adds_nothing_by_default(self):
        assert PageParts.of([UIModule(handler_of())]) == PageParts()


class TestNamespace:
    def test_modules_are_functions_by_attribute_or_item(self):
        modules = UIModuleNamespace(handler_of(), {"Counter": Counter})
        assert modules.Counter() == "1"
        assert modules["Counter"](step=5) == "6"

    def test_there_is_one_instance_a_name_and_handler(self):
        handler, other = handler_of(), handler_of()
        modules = UIModuleNamespace(handler, {"A": Counter, "B": Counter})
        assert [modules.A(), modules.B(), modules.A()] == ["1", "1", "2"]
        assert UIModuleNamespace(other, {"A": Counter}).A() == "1"
        assert handler._active_modules is not None
        assert list(handler._active_modules) == ["A", "B"]

    def test_an_unknown_module_is_an_attribute_error(self):
        with pytest.raises(AttributeError, match="there is no UI module 'X'"):
            _ = UIModuleNamespace(handler_of(), {}).X

    def test_arguments_may_have_any_name(self):
        class Echo(UIModule):
            def render(self, **kwargs):
                return repr(sorted(kwargs))

        modules = UIModuleNamespace(handler_of(), {"Echo": Echo})
        assert modules.Echo(name=1, handler=2, module=3) == "['handler', 'module', 'name']"


class TestTemplateModule:
    def test_renders_with_variables_of_its_own(self):
        assert TemplateModule(handler_of(a="{{ x }}")).render("a", x=1) == b"1"

    def test_collects_what_templates_set(self):
        module = TemplateModule(
            handler_of(
                a="{{ set_resources(css_files=['a.css', 'b.css'], javascript_files=js, embedded_css=a) }}",
                b="{{ set_resources(javascript_files=['b.js'], embedded_javascript='b()', embedded_css=b) }}",
                c="{{ set_resources(html_head='<h>', html_body='<b>', embedded_javascript='c()') }}",
            )
        )
        for name in "abca":
            assert module.render(name, a="a{}", b="b{}", js="a.js") == b""
        assert PageParts.of([module]) == PageParts(
            embedded_javascript=[b"b()\nc()"],
            javascript_files=["a.js", "b.js"],
            embedded_css=[b"a{}\nb{}"],
            css_files=["a.css", "b.css"],
            html_head=[b"<h>"],
            html_body=[b"<b>"],
        )

    def test_a_template_must_not_change_its_mind(self):
        module = TemplateModule(handler_of(a="{{ set_resources(css_files=x) }}"))
        module.render("a", x="a.css")
        with pytest.raises(ValueError, match="other resources than before for a"):
            module.render("a", x="b.css")

    def test_a_template_that_sets_nothing_adds_nothing(self):
        module = TemplateModule(handler_of(a=""))
        module.render("a")
        assert PageParts.of([module]) == PageParts()


def test_linkify():
    assert Linkify(handler_of()).render("http://x.y", extra_params='rel="nofollow"') == (
        '<a href="http://x.y" rel="nofollow">http://x.y</a>'
    )


def test_xsrf_form_html():
    assert XSRFFormHTML(handler_of()).render() == "<input>"


def test_parts_take_single_files_and_lists():
    class Files(UIModule):
        def javascript_files(self):
            return b"a.js"

        def css_files(self):
            return iter(["a.css", "b.css"])

    assert PageParts.of([Files(handler_of())]) == PageParts(
        javascript_files=["a.js"], css_files=["a.css", "b.css"]
    )
