"""A client session of Bokeh: reads commands on stdin, a line each, and answers each with a line of JSON.

To be run as ``python bokeh_client.py URL``. A command is a number, which it gives to the slider, or ``ticks``.
What the server has changed is read by another client of the same session: a client that is not in Bokeh's own
loop does not apply what comes in.
"""

import json
import sys

import tornado
from bokeh.client import pull_session
from bokeh.models import ColumnDataSource, Plot, Slider

URL = sys.argv[1]


def main():
    session = pull_session(url=URL)
    document = session.document
    answer({"title": document.title, "roots": len(document.roots), "tornado": tornado.__name__})
    for line in sys.stdin:
        if line.strip() == "ticks":
            answer(look(session, lambda document: int(find(document, Plot).title.text or 0)))
        else:
            answer(move(session, int(line)))
    session.close()
    answer("closed")


def find(document, kind):
    return document.select_one({"type": kind})


def look(session, what):
    """Look at the server's document."""
    with pull_session(url=URL, session_id=session.id) as other:
        return what(other.document)


def move(session, factor):
    """Move the slider; the line follows in the server."""
    find(session.document, Slider).value = factor
    session.force_roundtrip()
    seen = []
    while seen[:1] != [factor]:
        seen = look(
            session, lambda document: [float(find(document, ColumnDataSource).data["y"][at]) for at in (1, 999)]
        )
    return seen


def answer(value):
    print(json.dumps(value), flush=True)


main()
