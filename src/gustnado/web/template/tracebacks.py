"""Tracebacks that show templates: their files, their lines, their text.

The code that runs is generated, all of a page in one function, though its lines are from several files. So
when an exception leaves a template, the frames of generated code in its traceback are replaced by frames
that look like the templates': for text that was included, the frame of the ``include`` directive first,
then that of the included line. Nothing of this costs anything until something is raised.

A frame cannot be made by hand, but code can be given any file name; running such code gives a frame with
it. The function's name in it reads ``template  # file:line (via file:line)``, the mark that Tornado's
tracebacks have and that tools search for.

Python finds the text of a file's line itself. For a template that was never a file, ``linecache`` is told it.
"""

from __future__ import annotations

import linecache
from collections.abc import Mapping
from types import CodeType, FrameType, TracebackType
from typing import Any, Final

from gustnado.web.template.codegen import Generated, Origin
from gustnado.web.template.nodes import File

__all__ = ["rewrite_traceback"]


class _Stop(Exception):
    """Raised in stand-in code, only for its frame."""


_STAND_IN: Final = compile("raise _tt_stop", "<template>", "exec", dont_inherit=True)


def rewrite_traceback(
    traceback: TracebackType | None, namespace: Mapping[str, Any], filename: str, generated: Generated
) -> TracebackType | None:
    """Return ``traceback`` with templates in the place of generated code.

    :param namespace: the globals of the generated code that ran.
    :param filename: the file name of the generated code.
    :param generated: that code; it knows where each line is from.
    """
    entries = []
    while traceback is not None:
        entries.append(traceback)
        traceback = traceback.tb_next
    result: TracebackType | None = None
    for entry in reversed(entries):
        frame = entry.tb_frame
        if frame.f_globals is namespace and frame.f_code.co_filename == filename:
            for origin in generated.origin(entry.tb_lineno).chain():
                result = TracebackType(result, _stand_in(origin, frame), -1, max(origin.line, 1))
        else:
            entry.tb_next = result
            result = entry
    return result


def _stand_in(origin: Origin, frame: FrameType) -> FrameType:
    """Return a frame that seems to run at ``origin``, with the variables of ``frame`` for debuggers."""
    code = _STAND_IN.replace(co_filename=_source_name(origin.file), co_name=f"template  # {origin}")
    return _run(code, _visible(frame.f_globals), _visible(frame.f_locals))


def _run(code: CodeType, globals_: dict[str, Any], locals_: dict[str, Any]) -> FrameType:
    globals_["_tt_stop"] = _Stop
    try:
        exec(code, globals_, locals_)
    except _Stop as stop:
        if stop.__traceback__ is not None and stop.__traceback__.tb_next is not None:
            return stop.__traceback__.tb_next.tb_frame
    raise RuntimeError("stand-in code ran without a frame")


def _visible(names: Mapping[str, Any]) -> dict[str, Any]:
    """Return the template's own names. ``__loader__`` must not be among them: it leads to generated code."""
    return {name: value for name, value in names.items() if not name.startswith(("_tt_", "__"))}


def _source_name(file: File) -> str:
    """Return the file name to show for ``file``, making sure that its lines can be found."""
    if file.path is not None:
        return file.path
    # No modification time: linecache then keeps the entry, as for a module that a loader provides.
    linecache.cache[file.name] = (len(file.text), None, file.text.splitlines(keepends=True), file.name)
    return file.name
