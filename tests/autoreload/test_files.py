from __future__ import annotations

import os
import sys
import textwrap
import types

import pytest

from gustnado.autoreload.files import Files


class TestFiles:
    @pytest.fixture
    def files(self, monkeypatch):
        files = Files()
        monkeypatch.setattr(files, "_module_paths", lambda: iter(()))
        return files

    def test_own_modules_are_watched_and_no_others(self):
        files = Files()
        paths = set(files._module_paths())
        assert os.path.abspath(__file__) in paths
        assert not {os.__file__, pytest.__file__, textwrap.__file__} & paths

    def test_modules_of_odd_kinds(self, monkeypatch, tmp_path):
        def module(name, **names):
            found = types.ModuleType(name)
            vars(found).update(names)
            monkeypatch.setitem(sys.modules, name, found)

        class Lazy(types.ModuleType):
            def __getattribute__(self, name):
                raise AssertionError(f"{name} was asked for")

        class Impostor:  # as the libraries of cffi
            __slots__ = ()
            __class__ = types.ModuleType  # type: ignore[assignment]

        module("odd_none", __file__=None)
        module("odd_number", __file__=7)
        module("odd_bytecode", __file__=str(tmp_path / "a.pyc"))
        module("odd_null", __file__="a\0b")
        monkeypatch.setitem(sys.modules, "odd_lazy", Lazy("odd_lazy"))
        monkeypatch.setitem(sys.modules, "odd_impostor", Impostor())
        monkeypatch.setitem(sys.modules, "odd_object", object())
        monkeypatch.setitem(sys.modules, "odd_missing", None)
        files = Files()
        assert files.changed() is None
        assert str(tmp_path / "a.py") in set(files._module_paths())

    def test_the_first_look_takes_all_as_it_is(self, files, tmp_path):
        path = tmp_path / "a"
        path.write_text("one")
        files.add(path)
        assert [files.changed(), files.changed()] == [None, None]
        path.write_text("the second")
        assert files.changed() == str(path)

    def test_one_that_goes_has_not_changed_and_may_come_back(self, files, tmp_path):
        path = tmp_path / "a"
        path.write_text("one")
        files.add(path)
        files.changed()
        status = path.stat()
        path.unlink()
        assert files.changed() is None
        path.write_text("one")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert files.changed() is None
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))
        assert files.changed() == str(path)

    def test_one_that_appears_has_changed(self, files, tmp_path):
        files.add(tmp_path / "deep" / "a")
        assert files.changed() is None
        assert files.directories() == {str(tmp_path)}
        (tmp_path / "deep").mkdir()
        assert files.changed() is None
        assert files.directories() == {str(tmp_path / "deep")}
        (tmp_path / "deep" / "a").touch()
        assert files.changed() == str(tmp_path / "deep" / "a")

    def test_of_a_directory_all_but_hidden_files(self, files, tmp_path):
        (tmp_path / "deep").mkdir()
        (tmp_path / "__pycache__").mkdir()
        names = ["a", "deep/b", ".a.swp", "a~", "__pycache__/c"]
        for name in names:
            (tmp_path / name).write_text("one")
        files.add(tmp_path)
        files.changed()
        assert files.directories() == {str(tmp_path), str(tmp_path / "deep")}
        for name in names[2:]:
            (tmp_path / name).write_text("changed")
        (tmp_path / "new").write_text("new")
        assert files.changed() is None
        (tmp_path / "deep/b").write_text("changed")
        assert files.changed() == str(tmp_path / "deep/b")

    def test_something_new_to_watch_is_noticed(self, files, monkeypatch):
        before = files.extent()
        files.add("a")
        named = files.extent()
        monkeypatch.setitem(sys.modules, "a_new_module", types.ModuleType("a_new_module"))
        assert len({before, named, files.extent()}) == 3
