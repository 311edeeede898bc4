"""Each test runs a program of its own, after a call of ``install``."""

from __future__ import annotations

import pytest


class TestImports:
    def test_a_module_is_one_under_both_names(self, run_program):
        assert run_program("""
            import sys, tornado, tornado.web, gustnado.tornado.web, gustnado.web
            from tornado.platform.asyncio import AsyncIOLoop
            from tornado import gen
            print(tornado is gustnado.tornado is sys.modules["tornado"])
            print(tornado.web is gustnado.tornado.web is sys.modules["tornado.web"])
            print(tornado.web.RequestHandler is gustnado.web.RequestHandler)
            print(gen is gustnado.tornado.gen, AsyncIOLoop.__module__)
            print(tornado.web.__spec__.name)
        """) == ["True", "True", "True", "True gustnado.events.loop", "gustnado.tornado.web"]

    def test_a_module_that_was_imported_before_is_the_same(self, run_program):
        assert run_program("""
            import sys, gustnado.tornado.ioloop
            import tornado.ioloop
            print(sys.modules["tornado.ioloop"] is gustnado.tornado.ioloop)
        """) == ["True"]

    def test_modules_are_imported_when_they_are_asked_for(self, run_program):
        assert run_program("""
            import sys, tornado
            print("tornado.template" in sys.modules)
            tornado.template.Template
            print("tornado.template" in sys.modules)
        """) == ["False", "True"]

    def test_versions_are_tornados(self, run_program):
        assert run_program("import tornado; print(tornado.version, tornado.version_info >= (6, 6))") == ["6.6.1 True"]

    @pytest.mark.parametrize("name", ["tornado.s3server", "tornado.web.nothing", "tornado.platform.nothing"])
    def test_what_is_not_there_is_not_found(self, name, run_program):
        assert run_program(f"""
            import importlib.util
            try:
                import {name}
            except ModuleNotFoundError as error:
                print(error.name)
            print(importlib.util.find_spec("tornado.s3server"))
        """) == [name, "None"]

    def test_other_modules_are_found_as_before(self, tmp_path, run_program):
        (tmp_path / "tornado_tools.py").write_text("import tornado.util as util")
        found = run_program(
            "import sys; sys.path.insert(0, '.'); import tornado_tools; print(tornado_tools.util)", tmp_path
        )
        assert found[0].startswith("<module 'gustnado.tornado.util'")

    def test_again_is_no_change(self, run_program):
        assert run_program("""
            import sys, logging
            before = list(sys.meta_path), logging.getLogger("tornado.access")
            gustnado.as_tornado.install()
            print((list(sys.meta_path), logging.getLogger("tornado.access")) == before)
        """) == ["True"]

    def test_importing_the_face_alone_changes_nothing(self, python):
        done = python(
            "-c",
            "import gustnado.tornado.web, gustnado.tornado.log as log, sys\n"
            "from gustnado.tornado.escape import json_encode\n"
            "print('tornado' in sys.modules, json_encode([1, 2]), log.access_log.name)",
        )
        assert done.stdout == "False [1,2] gustnado.access\n"


class TestTornadosTests:
    def test_they_are_those_of_the_installed_tornado(self, run_program):
        assert run_program("""
            import importlib.util, os, tornado.test
            data = os.path.join(tornado.test.__path__[0], "options_test.cfg")
            print(tornado.test.__name__, os.path.exists(data))
            print(importlib.util.find_spec("tornado.test.escape_test").origin.endswith("escape_test.py"))
        """) == ["tornado.test True", "True"]

    def test_they_test_this(self, run_program):
        """A module that needs only what there is."""
        assert run_program("""
            import tornado.test.resolve_test_helper
            print(tornado.test.resolve_test_helper.ThreadedResolver.__module__)
        """) == ["gustnado.events.resolver"]

    def test_where_it_is_not_installed_the_error_says_so(self, run_program):
        assert run_program("""
            import sys
            sys.path[:] = [path for path in sys.path if "site-packages" not in path]
            sys.path_importer_cache.clear()
            try:
                import tornado.test
            except ModuleNotFoundError as error:
                print(error.name)
                print(error)
        """) == [
            "tornado.test",
            "tornado.test is loaded from Tornado itself, which is not installed: pip install tornado==6.6.1",
        ]
