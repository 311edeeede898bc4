"""All programs, in the order in which they are run."""

from __future__ import annotations

from compat import bokeh, flower, jupyter_server, luigi, terminado

__all__ = ["PROGRAMS"]

PROGRAMS = (jupyter_server.PROGRAM, terminado.PROGRAM, bokeh.PROGRAM, luigi.PROGRAM, flower.PROGRAM)
