"""A Python that is started in the environment is as any other, until it looks for Tornado."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gustnado.as_tornado import environment

WHICH = "import tornado, sys; print(tornado.__name__)"


@pytest.fixture
def started(python):
    """``started(code, path="", **variables)``: what a Python in the environment prints, and what it complains of."""

    def run(code, path="", **variables):
        done = python("-c", code, **environment({"PYTHONPATH": str(path)}) | variables)
        assert done.returncode == 0, done.stderr
        return done.stdout, done.stderr

    return run


@pytest.mark.parametrize(
    "line",
    [
        "import tornado",
        "import tornado.web as tornado",
        "from tornado import web as tornado",
        "from tornado.web import Application; tornado = sys.modules[Application.__module__]",
        "import importlib; tornado = importlib.import_module('tornado.platform.asyncio')",
        "import importlib.util; importlib.util.find_spec('tornado'); import tornado",
    ],
)
def test_whatever_is_imported_first_is_ours(line, started):
    name, errors = started(f"import sys; {line}; print(tornado.__name__)")
    assert name.startswith("gustnado.")
    assert not errors


@pytest.mark.parametrize("first", ["import tornado", "importlib.util.find_spec('tornado')", "m.version('tornado')"])
def test_there_is_one_package_under_both_names(first, started):
    code = f"""if True:
        import importlib.util, importlib.metadata as m, sys
        {first}
        import tornado, gustnado.tornado, gustnado.as_tornado
        print(tornado is gustnado.tornado is sys.modules["tornado"] is sys.modules["gustnado.tornado"])
        tornado.web.RequestHandler
        print(sys.modules["tornado.web"] is tornado.web is gustnado.tornado.web)
        before = list(sys.meta_path)
        gustnado.as_tornado.install()
        print(sys.meta_path == before, tornado is sys.modules["tornado"])
    """
    assert started(code) == ("True\nTrue\nTrue True\n", "")


def test_the_defaults_are_tornados(started):
    assert started("from tornado.escape import json_encode; print(json_encode([1, 2]))") == ("[1, 2]\n", "")


def test_nothing_is_loaded_until_then(started, python):
    """But what Python loads to look for another ``sitecustomize``."""
    code = "import sys; print(*sorted(sys.modules))"
    plain = set(python("-c", code).stdout.split())
    ours = set(started(code)[0].split())
    assert ours - plain <= {"__future__", "sitecustomize"}


def test_nothing_else_is_looked_for(started, python):
    done = python("-c", "import tornado_tools", **environment({}))
    assert "No module named 'tornado_tools'" in done.stderr
    code = "import sys, importlib.metadata as m; m.version('pytest'); print('gustnado' in sys.modules)"
    assert started(code) == ("False\n", "")


def test_versions_can_be_asked_for_first(started):
    assert started("import importlib.metadata as m; print(m.version('Tornado'))") == ("6.6.1\n", "")


@pytest.mark.parametrize(("value", "name"), [("0", "tornado"), ("", "tornado"), ("1", "gustnado.tornado")])
def test_the_variable_decides(value, name, started):
    assert started(WHICH, GUSTNADO_AS_TORNADO=value) == (f"{name}\n", "")


def test_another_value_is_complained_of(started):
    name, errors = started(WHICH, GUSTNADO_AS_TORNADO="yes")
    assert name == "tornado\n"
    assert "ValueError: GUSTNADO_AS_TORNADO is 1 or 0, not 'yes'" in errors


class TestPaths:
    def test_they_are_as_without_it(self, started, python):
        code = "import sys; print(sys.path)"
        assert started(code) == (python("-c", code).stdout, "")

    def test_those_in_the_environment_too(self, started, python, tmp_path):
        code = "import sys; print(sys.path)"
        assert started(code, tmp_path) == (python("-c", code, PYTHONPATH=str(tmp_path)).stdout, "")


class TestAnotherSitecustomize:
    def test_it_is_run_as_itself(self, started, tmp_path):
        file = tmp_path / "sitecustomize.py"
        file.write_text(
            "import sys\nprint(__name__, __file__, sys.modules[__name__].__dict__ is globals())\nmark = 5\n"
        )
        code = f"import sitecustomize; print(sitecustomize.mark); {WHICH}"
        assert started(code, tmp_path) == (f"sitecustomize {file} True\n5\ngustnado.tornado\n", "")

    def test_it_may_import_tornado(self, started, tmp_path):
        (tmp_path / "sitecustomize.py").write_text(WHICH)
        assert started("", tmp_path) == ("gustnado.tornado\n", "")

    @pytest.mark.parametrize("line", ["1 / 0", "import nothing_of_that_name", "raise ImportError('no')"])
    def test_its_errors_are_told_as_ever(self, line, started, python, tmp_path):
        (tmp_path / "sitecustomize.py").write_text(line)
        plain = python("-c", "", PYTHONPATH=str(tmp_path)).stderr
        assert "Error in sitecustomize" in plain
        assert started(WHICH, tmp_path) == ("gustnado.tornado\n", plain)

    def test_it_is_run_though_ours_fails(self, started, tmp_path):
        (tmp_path / "sitecustomize.py").write_text("print('here')")
        shown, errors = started("", tmp_path, GUSTNADO_AS_TORNADO="yes")
        assert shown == "here\n"
        assert "ValueError" in errors


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory):
    """A Python without Gustnado, and where its packages go."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    packages = subprocess.run(
        [folder / "bin/python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return folder / "bin/python", packages.stdout.strip()


class TestAnotherPython:
    def test_without_gustnado_runs_as_ever(self, bare_python, python):
        executable, packages = bare_python
        with open(f"{packages}/tornado.py", "w", encoding="utf-8") as file:
            file.write("version = '1'\n")
        code = f"import importlib.metadata as m; {WHICH}; print([*m.distributions(name='tornado')])"
        done = python("-c", code, executable=executable, **environment({}))
        assert (done.stdout, done.stderr) == ("tornado\n[]\n", "")

    def test_what_gustnado_lacks_there_is_told(self, bare_python, python):
        executable, packages = bare_python
        with open(f"{packages}/gustnado.py", "w", encoding="utf-8") as file:
            file.write("import nothing_of_that_name\n")
        done = python("-c", WHICH, executable=executable, **environment({}))
        assert "No module named 'nothing_of_that_name'" in done.stderr
        assert done.returncode == 1

    def test_that_has_imported_tornado_before_is_told(self, bare_python, python):
        """By a .pth file, which comes first."""
        executable, packages = bare_python
        with open(f"{packages}/early.pth", "w", encoding="utf-8") as file:
            file.write("import sys, types; sys.modules['tornado'] = types.ModuleType('tornado')\n")
        with open(f"{packages}/gustnado.pth", "w", encoding="utf-8") as file:
            file.writelines(f"{path}\n" for path in sys.path if path and not path.endswith(".zip"))
        with open(f"{packages}/gustnado.py", "w", encoding="utf-8") as file:
            file.write("")
        done = python("-c", "", executable=executable, **environment({}))
        assert "Error in sitecustomize" in done.stderr
