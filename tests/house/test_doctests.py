"""The examples in docstrings are true."""

from __future__ import annotations

import ast
import doctest
import importlib

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def documented(tree):
    """Each node that has a docstring, with its name."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            text = ast.get_docstring(node)
            if text:
                yield getattr(node, "name", "module"), text


def test_examples(example_source):
    """Read from the source, so that those of a compiled module are run too."""
    parser = doctest.DocTestParser()
    reports = []
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    names = vars(importlib.import_module(example_source.name))
    for owner, text in documented(example_source.tree):
        examples = parser.get_doctest(text, dict(names), f"{example_source.name}: {owner}", None, 0)
        runner.run(examples, out=reports.append)
    assert not runner.failures, "".join(reports)
    assert runner.tries
