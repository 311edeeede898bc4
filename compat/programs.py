"""All programs, in the order in which they are run."""

from __future__ import annotations

from compat import bokeh, jupyter_server, terminado

__all__ = ["PROGRAMS"]

PROGRAMS = (jupyter_server.PROGRAM, terminado.PROGRAM, bokeh.PROGRAM)
