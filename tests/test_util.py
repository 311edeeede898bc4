"""Configurable classes, gzip in pieces, and the small helpers."""

from __future__ import annotations

import asyncio
import builtins
import datetime
import gzip
import re
import sys
import unittest
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado import util
from gustnado.util import ArgReplacer, Configurable, GzipDecompressor, ObjectDict, import_object


class TestNames:
    def test_types_have_their_old_names(self):
        assert (util.bytes_type, util.unicode_type, util.basestring_type) == (bytes, str, str)
        assert util.PY3
        assert not util.is_finalizing()
        assert list(util.xrange(3)) == [0, 1, 2]

    def test_there_is_one_timeout_error(self):
        assert util.TimeoutError is builtins.TimeoutError is asyncio.TimeoutError

    def test_literals_of_old(self):
        assert util.b("\xe9") == b"\xe9"
        assert util.u("\xe9") == "\xe9"


class TestObjectDict:
    def test_items_are_attributes(self):
        d = ObjectDict(a=1)
        d.b = 2
        assert d.a == 1
        assert d == {"a": 1, "b": 2}

    def test_what_is_not_there_is_an_attribute_error(self):
        with pytest.raises(AttributeError, match="missing"):
            _ = ObjectDict().missing


def unzip(data, read_size=1024, max_length=1024):
    """All output, fed as a careful caller does."""
    decompressor = GzipDecompressor()
    output = bytearray()
    for start in range(0, len(data), read_size):
        chunk = data[start : start + read_size]
        while chunk:
            piece = decompressor.decompress(chunk, max_length)
            assert len(piece) <= max_length
            assert piece or len(decompressor.unconsumed_tail) < len(chunk)
            output += piece
            chunk = decompressor.unconsumed_tail
    assert decompressor.flush() == b""
    return bytes(output)


class TestGzipDecompressor:
    @settings(deadline=None, max_examples=60)
    @given(
        st.lists(st.binary(max_size=300) | st.just(b"x" * 20_000), max_size=4),
        st.integers(1, 200),
        st.integers(1, 5000),
    )
    def test_any_members_in_any_pieces(self, members, read_size, max_length):
        data = b"".join(map(gzip.compress, members))
        assert unzip(data, read_size, max_length) == b"".join(members)

    def test_a_member_longer_than_what_zlib_sees_at_once(self):
        import random

        body = random.Random(1).randbytes(50_000)
        assert unzip(gzip.compress(body) * 2, 100_000, 7_777) == body * 2

    def test_thousands_of_tiny_members_cost_what_they_weigh(self, monkeypatch):
        """Counted in bytes that zlib is given, each of which it may copy: not a multiple of the input."""
        given_bytes = 0

        class Counting:
            def __init__(self, wbits):
                self._inner = zlib.decompressobj(wbits)

            def decompress(self, data, max_length=0):
                nonlocal given_bytes
                given_bytes += len(data)
                return self._inner.decompress(data, max_length)

            def __getattr__(self, name):
                return getattr(self._inner, name)

        data = gzip.compress(b"") * 10_000  # 200 kB
        fake = type("zlib", (), {"decompressobj": Counting, "error": zlib.error})
        monkeypatch.setattr(util, "zlib", fake)
        decompressor = GzipDecompressor()
        assert decompressor.decompress(data, 1000) == b""
        assert decompressor.unconsumed_tail == b""
        assert given_bytes <= 10_000 * GzipDecompressor._PIECE

    def test_a_bomb_is_let_out_in_bounded_pieces(self):
        bomb = gzip.compress(bytes(1 << 20))
        decompressor = GzipDecompressor()
        assert len(decompressor.decompress(bomb, 1000)) == 1000
        assert decompressor.unconsumed_tail
        with pytest.raises(ValueError, match="unconsumed_tail"):
            decompressor.flush()

    def test_no_stream_at_all_is_whole(self):
        assert GzipDecompressor().flush() == b""

    @pytest.mark.parametrize("trailer", [b"\0", b"\r\n", b"garbage", b"\x1f\x00"])
    @pytest.mark.parametrize("read_size", [1, 1000])
    def test_what_follows_the_last_member_must_be_one(self, trailer, read_size):
        with pytest.raises(zlib.error):
            unzip(gzip.compress(b"hello") + trailer, read_size)

    def test_every_truncation_is_an_error(self):
        data = gzip.compress(b"hello") + gzip.compress(b"world")
        whole = {0, len(gzip.compress(b"hello"))}
        for end in set(range(len(data))) - whole:
            with pytest.raises(zlib.error, match="truncated"):
                unzip(data[:end])

    @pytest.mark.parametrize("data", [b"<html>", zlib.compress(b"hello"), b"\x1f"])
    def test_what_is_not_gzip_is_an_error(self, data):
        with pytest.raises(zlib.error):
            unzip(data)

    def test_without_a_limit_it_works_and_warns(self):
        decompressor = GzipDecompressor()
        with pytest.warns(DeprecationWarning, match="max_length"):
            assert decompressor.decompress(gzip.compress(b"a") + gzip.compress(b"b")) == b"ab"
        assert decompressor.flush() == b""


class TestImportObject:
    def test_modules_and_members(self):
        import os.path

        assert import_object("os") is os
        assert import_object("os.path") is os.path
        assert import_object("os.path.join") is os.path.join
        assert import_object("gustnado.escape.utf8").__name__ == "utf8"

    @pytest.mark.parametrize("name", ["os.missing", "missing_module_x", "missing_module_x.y"])
    def test_what_is_not_there_is_an_import_error(self, name):
        with pytest.raises(ImportError):
            import_object(name)


class TestExceptions:
    def test_raise_exc_info_raises_the_very_exception_with_its_traceback(self):
        class TwoArguments(Exception):
            def __init__(self, a, b):
                super().__init__()

        def origin():
            raise TwoArguments(1, 2)

        try:
            origin()
        except TwoArguments:
            exc_info = sys.exc_info()
        with pytest.raises(TwoArguments) as caught:
            util.raise_exc_info(exc_info)
        assert caught.value is exc_info[1]
        assert caught.traceback[-1].name == "origin"

    def test_raise_exc_info_needs_an_exception(self):
        with pytest.raises(TypeError):
            util.raise_exc_info((None, None, None))

    def test_errno(self):
        assert util.errno_from_exception(OSError(2, "gone")) == 2
        assert util.errno_from_exception(Exception(7)) == 7
        assert util.errno_from_exception(Exception()) is None


class TestExecIn:
    def test_runs_text_and_code_without_this_modules_future(self):
        names: dict[str, object] = {}
        util.exec_in("def f(x: int): pass", names)
        assert names["f"].__annotations__ == {"x": int}
        util.exec_in(compile("y = 1", "<test>", "exec"), names)
        assert names["y"] == 1

    def test_locals_of_its_own(self):
        outer: dict[str, object] = {}
        inner: dict[str, object] = {}
        util.exec_in("a = 1", outer, inner)
        assert inner == {"a": 1}
        assert "a" not in outer


class TestReUnescape:
    @given(st.text())
    def test_undoes_escape(self, text):
        assert util.re_unescape(re.escape(text)) == text

    @pytest.mark.parametrize("pattern", [r"\d", r"\b", r"\Z", r"a\1"])
    def test_refuses_what_escape_does_not_write(self, pattern):
        with pytest.raises(ValueError, match=r"re\.escape"):
            util.re_unescape(pattern)


class Shape(Configurable):
    @classmethod
    def configurable_base(cls):
        return Shape

    @classmethod
    def configurable_default(cls):
        return Square


class Square(Shape):
    def initialize(self, position=None, side=None):
        self.position, self.side = position, side


class Circle(Shape):
    def initialize(self, position=None, radius=None):
        self.position, self.radius = position, radius


class Inner(Shape):
    """A choice that is itself a choice."""

    @classmethod
    def configurable_base(cls):
        return Inner

    @classmethod
    def configurable_default(cls):
        return InnerA


class InnerA(Inner):
    def initialize(self, a=None):
        self.a = a


class InnerB(Inner):
    def initialize(self, b=None):
        self.b = b


class Empty(Configurable):
    @classmethod
    def configurable_base(cls):
        return Empty

    @classmethod
    def configurable_default(cls):
        return Empty


@pytest.fixture
def restored():
    saved = [(cls, cls._save_configuration()) for cls in (Shape, Inner)]
    yield
    for cls, configuration in saved:
        cls._restore_configuration(configuration)


@pytest.mark.usefixtures("restored")
class TestConfigurable:
    def test_the_base_makes_its_default(self):
        shape = Shape(1, side=2)
        assert type(shape) is Square
        assert (shape.position, shape.side) == (1, 2)
        assert Shape.configured_class() is Square

    @pytest.mark.parametrize("choice", [Circle, f"{__name__}.Circle"])
    def test_or_what_it_is_told_to(self, choice, monkeypatch):
        monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or type(sys)(__name__))
        monkeypatch.setattr(sys.modules[__name__], "Circle", Circle, raising=False)
        Shape.configure(choice, radius=3)
        assert type(Shape()) is Circle
        assert Shape().radius == 3
        assert Shape(radius=4).radius == 4

    def test_configured_arguments_are_for_the_base_only(self):
        Shape.configure(None, side=3)
        assert Shape().side == 3
        assert Square().side is None

    def test_a_named_subclass_is_made_whatever_is_configured(self):
        Shape.configure(Circle)
        assert type(Square(side=1)) is Square

    def test_only_subclasses_can_be_chosen(self):
        with pytest.raises(ValueError, match="subclass"):
            Shape.configure(dict)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="subclass"):
            Inner.configure(Square)

    def test_choices_within_choices(self):
        Shape.configure(Inner, a=1)
        assert type(Shape()) is InnerA
        assert Shape().a == 1
        Shape.configure(Inner)
        Inner.configure(InnerB, b=2)
        assert type(Shape()) is InnerB
        assert Shape().b == 2

    def test_an_inner_base_stands_on_its_own(self):
        Shape.configure(Circle)
        assert type(Inner()) is InnerA

    def test_a_class_may_be_its_own_default_and_need_no_initialize(self):
        assert type(Empty()) is Empty

    def test_a_hierarchy_must_say_what_it_is(self):
        with pytest.raises(NotImplementedError):
            Configurable()


class TestArgReplacer:
    @pytest.fixture
    def replacer(self):
        def function(x, y, callback=None, z=None):
            pass

        return ArgReplacer(function, "callback")

    def test_absent(self, replacer):
        assert replacer.get_old_value((1, 2), {}, "default") == "default"
        assert replacer.replace("new", (1, 2), {}) == (None, (1, 2), {"callback": "new"})

    def test_by_position(self, replacer):
        args = (1, 2, "old", 3)
        assert replacer.get_old_value(args, {}) == "old"
        assert replacer.replace("new", args, {}) == ("old", [1, 2, "new", 3], {})
        assert args == (1, 2, "old", 3)

    def test_by_name(self, replacer):
        kwargs = {"y": 2, "callback": "old"}
        assert replacer.get_old_value((1,), kwargs) == "old"
        assert replacer.replace("new", (1,), kwargs) == ("old", (1,), {"y": 2, "callback": "new"})

    def test_a_parameter_without_a_position(self):
        def function(x, *, callback=None):
            pass

        replacer = ArgReplacer(function, "callback")
        assert replacer.arg_pos is None
        assert replacer.replace("new", (1,), {}) == (None, (1,), {"callback": "new"})


def test_timedelta_to_seconds():
    assert util.timedelta_to_seconds(datetime.timedelta(hours=1, milliseconds=500)) == 3600.5


def test_doctests_are_a_suite_that_passes():
    result = unittest.TestResult()
    util.doctests().run(result)
    assert result.testsRun > 3
    assert result.wasSuccessful()
