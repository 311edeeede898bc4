"""Small rules that every source file keeps."""

from __future__ import annotations

import ast
import importlib
import inspect
import re

MOST_LINES = 600
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def public(source):
    """The names in a module's ``__all__``, but for such as ``__version__``."""
    return [name for name in importlib.import_module(source.name).__all__ if not name.startswith("__")]


def definitions(body):
    """The functions and classes of a block, those under an ``if`` or ``try`` too.

    What stands under ``if TYPE_CHECKING`` is no definition: it tells type checkers what lies elsewhere.
    """
    for node in body:
        if isinstance(node, DEFINITIONS):
            yield node
        elif isinstance(node, ast.Try) or (
            isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.unparse(node.test)
        ):
            yield from definitions(ast.iter_child_nodes(node))


def public_functions(source):
    """Each public function and public method (``__init__`` too), with the name of its class or ''."""
    names = public(source)
    for node in definitions(source.tree.body):
        if node.name not in names:
            continue
        if isinstance(node, FUNCTIONS):
            yield "", node
        else:
            for method in definitions(node.body):
                if isinstance(method, FUNCTIONS) and (method.name == "__init__" or method.name[0] != "_"):
                    yield node.name, method


def is_decorated(node, *suffixes):
    return any(ast.unparse(decorator).endswith(suffixes) for decorator in node.decorator_list)


def unannotated(node, *, is_method):
    """The parameters of a function without a hint, and 'return' where the result has none."""
    positional = [*node.args.posonlyargs, *node.args.args]
    if is_method and not is_decorated(node, "staticmethod"):
        positional = positional[1:]
    arguments = [*positional, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
    names = [argument.arg for argument in arguments if argument is not None and argument.annotation is None]
    return names + ["return"] * (node.returns is None and node.name != "__init__")


def inherits_docstring(source, owner, method):
    """Whether a method overrides one that is documented."""
    bases = inspect.getmro(getattr(importlib.import_module(source.name), owner))[1:]
    return any(vars(base)[method].__doc__ for base in bases if method in vars(base))


def test_it_says_what_it_is(source):
    assert ast.get_docstring(source.tree)


def test_hints_are_never_evaluated(source):
    futures = [
        node for node in source.tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"
    ]
    assert "annotations" in {alias.name for node in futures for alias in node.names}


def test_it_has_one_subject(source):
    assert len(source.text.splitlines()) <= MOST_LINES


def test_it_says_what_is_public(source):
    if source.path.stem == "__main__":
        return
    module = importlib.import_module(source.name)
    assert len(module.__all__) == len(set(module.__all__))
    assert not [name for name in module.__all__ if not hasattr(module, name)]


def test_input_is_not_checked_by_assert(source):
    """``python -O`` drops them; what cannot be is said to type checkers with ``cast`` or an exception."""
    assert not [node.lineno for node in ast.walk(source.tree) if isinstance(node, ast.Assert)]


def test_it_does_not_know_whether_it_is_compiled(source):
    assert not [found.line for found in source.imports if found.module.split(".")[0].lower() == "cython"]


def test_what_is_public_is_documented(source):
    if source.path.stem == "__main__":
        return
    names = public(source)
    constructors = ("__init__", "initialize")  # their class says what they take
    silent = [
        node.name
        for node in definitions(source.tree.body)
        if node.name in names and not ast.get_docstring(node) and not is_decorated(node, "overload")
    ]
    for owner, node in public_functions(source):
        documented = (
            ast.get_docstring(node) or node.name in constructors or is_decorated(node, "setter", "overload")
        )
        if owner and not documented and not inherits_docstring(source, owner, node.name):
            silent.append(f"{owner}.{node.name}")
    assert not silent


def has_comment(lines, number):
    """Whether a comment stands on a line, or above it or the block of lines in which it stands."""
    if "#" in lines[number]:
        return True
    while number and lines[number - 1].strip():
        number -= 1
        if lines[number].startswith("#"):
            return True
    return False


def test_public_values_are_documented(source):
    """A constant or an object of a module: by a comment, or by a string below it. An alias is not asked
    for one: it says what it is.
    """
    if source.path.stem == "__main__":
        return
    names, lines, silent = public(source), source.text.splitlines(), []
    for node, following in zip(source.tree.body, [*source.tree.body[1:], None], strict=True):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        is_public = any(isinstance(target, ast.Name) and target.id in names for target in targets)
        is_alias = (
            isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation).endswith("TypeAlias")
        ) or isinstance(getattr(node, "value", None), (ast.Attribute, ast.Name))
        has_string = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
        if is_public and not is_alias and not has_string and not has_comment(lines, node.lineno - 1):
            silent.append(lines[node.lineno - 1])
    assert not silent


def test_what_is_public_is_annotated(source):
    if source.path.stem == "__main__":
        return
    bare = {
        f"{owner}.{node.name}".lstrip("."): missing
        for owner, node in public_functions(source)
        if (missing := unannotated(node, is_method=bool(owner)))
    }
    assert not bare


def test_nothing_is_left_to_do(source):
    assert not re.search(r"\b(TODO|FIXME|XXX)\b", source.text)
