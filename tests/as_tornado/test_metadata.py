"""What `importlib.metadata` says of Tornado under ``as_tornado``."""

from __future__ import annotations

WITHOUT_TORNADO = """
import sys, importlib.metadata as m
found = m.MetadataPathFinder.find_distributions
m.MetadataPathFinder.find_distributions = lambda context=m.DistributionFinder.Context(): (
    d for d in found(context) if d.name != "tornado")
"""


def test_it_is_the_version_that_the_module_says(run_program):
    assert run_program("""
        import importlib.metadata as m, tornado
        print(m.version("tornado") == m.version("Tornado") == tornado.version, m.metadata("tornado")["Name"])
        print(m.requires("tornado"), m.files("tornado"), list(m.distribution("tornado").entry_points))
        print(m.distribution("tornado").locate_file("tornado/web.py").samefile(tornado.web.__file__))
    """) == ["True tornado", "None None []", "True"]


def test_tornado_need_not_be_installed(run_program):
    assert run_program(f"{WITHOUT_TORNADO}print(m.version('tornado'))") == ["6.6.1"]


def test_it_is_in_the_list_of_all_once(run_program):
    count = "print([d.version for d in m.distributions() if d.name == 'tornado'])"
    assert run_program(f"import importlib.metadata as m\n{count}") == ["['6.6.1']"]
    assert run_program(f"{WITHOUT_TORNADO}{count}") == ["['6.6.1']"]


def test_a_certain_directory_holds_what_it_holds(run_program, tmp_path):
    assert run_program(f"""
        import importlib.metadata as m
        print([*m.distributions(name="tornado", path=[{str(tmp_path)!r}])])
    """) == ["[]"]


def test_other_packages_are_as_before(run_program):
    assert run_program("""
        import importlib.metadata as m
        print(m.distribution("pytest").files is not None)
        try:
            m.version("nothing-of-that-name")
        except m.PackageNotFoundError as error:
            print(error.name)
    """) == ["True", "nothing-of-that-name"]
