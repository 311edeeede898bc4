from __future__ import annotations

import os
import threading

import pytest

from gustnado.web.template import BaseLoader, DictLoader, Loader, ParseError, Template, TemplatePathError


@pytest.fixture
def root(tmp_path):
    (tmp_path / "secret.html").write_text("secret")
    (tmp_path / "root-twin").mkdir()
    (tmp_path / "root-twin" / "a.html").write_text("twin")
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "a.html").write_text("{% include 'sub/b.html' %}!")
    (root / "sub" / "b.html").write_text("{% include c.html %}{% include ../d.html %}")
    (root / "sub" / "c.html").write_text("c")
    (root / "d.html").write_text("d{{ x }}")
    return root


class TestLoader:
    def test_names_start_at_the_file_that_holds_them(self, root):
        assert Loader(str(root)).load("a.html").generate(x=1) == b"cd1!"

    def test_compiles_once_until_reset(self, root):
        loader = Loader(str(root))
        template = loader.load("d.html")
        (root / "d.html").write_text("new")
        assert loader.load("./d.html") is loader.load("sub/../d.html") is template
        loader.reset()
        assert loader.load("d.html").generate() == b"new"

    def test_absolute_paths_may_lie_below_the_root(self, root):
        loader = Loader(str(root))
        assert loader.load(str(root / "d.html")) is loader.load("d.html")

    @pytest.mark.parametrize(
        "name",
        ["../secret.html", "sub/../../secret.html", "../root-twin/a.html", "/etc/passwd", "..", "", "a\0b"],
    )
    def test_does_not_leave_its_root(self, root, name):
        loader = Loader(str(root))
        with pytest.raises(TemplatePathError, match="is outside of"):
            loader.load(name)

    @pytest.mark.parametrize("directive", ["include", "extends"])
    @pytest.mark.parametrize("name", ["../../secret.html", "/etc/passwd", "../../root-twin/a.html"])
    def test_nor_do_its_templates(self, root, directive, name):
        (root / "sub" / "bad.html").write_text(f"\n{{% {directive} '{name}' %}}")
        with pytest.raises(ParseError, match="is outside of") as caught:
            Loader(str(root)).load("sub/bad.html")
        assert (caught.value.filename, caught.value.lineno) == ("sub/bad.html", 2)

    def test_a_root_at_the_top_is_possible(self, root):
        assert Loader("/").load(str(root / "d.html")).generate(x="") == b"d"

    def test_a_missing_file_names_who_wants_it(self, root):
        (root / "bad.html").write_text("\n{% include nothing.html %}")
        with pytest.raises(FileNotFoundError) as caught:
            Loader(str(root)).load("bad.html")
        assert caught.value.__notes__ == ["in {% include 'nothing.html' %} at bad.html:2"]

    def test_a_failed_template_is_tried_again(self, root):
        loader = Loader(str(root))
        (root / "d.html").write_text("{{")
        with pytest.raises(ParseError):
            loader.load("a.html")
        (root / "d.html").write_text("d")
        assert loader.load("a.html").generate() == b"cd!"

    def test_source_paths(self, root):
        loader = Loader(str(root))
        assert loader.source_path("sub/c.html") == os.path.join(root, "sub", "c.html")
        assert loader.source_path("<string>") is None

    def test_a_string_template_starts_at_the_root(self, root):
        template = Template("{% include d.html %}", loader=Loader(str(root)))
        assert template.generate(x=2) == b"d2"

    def test_passes_its_options_on(self, root):
        loader = Loader(str(root), autoescape=None, namespace={"x": "<"}, whitespace="oneline")
        assert loader.load("d.html").generate() == b"d<"

    def test_links_inside_of_the_root_are_followed(self, root):
        (root / "link.html").symlink_to(root.parent / "secret.html")
        assert Loader(str(root)).load("link.html").generate() == b"secret"


class TestDictLoader:
    def test_names_start_at_the_template_that_holds_them(self):
        loader = DictLoader(
            {"a/b": "{% include c %}{% include ../d %}{% include /e %}", "a/c": "c", "d": "d", "/e": "e"}
        )
        assert loader.load("a/b").generate() == b"cde"

    def test_sources_may_be_bytes(self):
        assert DictLoader({"a": "é".encode()}).load("a").generate() == "é".encode()

    def test_a_missing_template_is_a_key_error(self):
        with pytest.raises(KeyError):
            DictLoader({}).load("a")


class TestCycles:
    @pytest.mark.parametrize(
        "sources",
        [
            {"a": "\n{% include a %}"},
            {"a": "{% include b %}", "b": "\n{% include a %}"},
            {"a": "{% extends b %}", "b": "\n{% extends a %}"},
            {"a": "{% if x %}{% include b %}{% end %}", "b": "\n{% include a %}"},
        ],
    )
    def test_are_errors_that_show_the_way(self, sources):
        with pytest.raises(ParseError, match="template needs itself: a -> ") as caught:
            DictLoader(sources).load("a")
        assert caught.value.lineno == 2

    def test_the_same_file_twice_is_none(self):
        assert DictLoader({"a": "{% include b %}{% include b %}", "b": "b"}).load("a").generate() == b"bb"


class Upper(BaseLoader):
    """A loader of a program's own."""

    def resolve_path(self, name, parent_path=None):
        return name.lower()

    def _create_template(self, name):
        return Template(name.upper(), name=name, loader=self)


def test_a_program_may_have_a_loader_of_its_own():
    loader = Upper()
    assert loader.load("Page").generate() == b"PAGE"
    assert loader.load("pAGE") is loader.load("page")
    assert list(loader.templates) == ["page"]


def test_threads_share_one_compilation():
    started, count = threading.Barrier(4), []

    class Counting(DictLoader):
        def _create_template(self, name):
            count.append(name)
            return super()._create_template(name)

    loader = Counting({"a": "{% include b %}", "b": "x" * 10_000})
    loaded = []

    def work():
        started.wait()
        loaded.append(loader.load("a"))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(loaded)) == 1
    assert sorted(count) == ["a", "b"]
