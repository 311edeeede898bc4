"""A client session of Bokeh: reads commands on stdin, a line each, and answers each with a line of JSON.

To be run as ``python bokeh_client.py URL``. A command is a number, which it gives to the slider, or ``ticks``.
"""

import json
import sys

import tornado
from bokeh.client import pull_session
from bokeh.models import ColumnDataSource, Plot, Slider


def main():
    session = pull_session(url=sys.argv[1], session_id=None)
    document = session.document
    slider, source = (document.select_one({"type": kind}) for kind in (Slider, ColumnDataSource))
    answer({"title": document.title, "roots": len(document.roots), "tornado": tornado.__name__})
    for line in sys.stdin:
        if line.strip() == "ticks":
            session.force_roundtrip()
            answer(int(document.select_one({"type": Plot}).title.text or 0))
        else:
            slider.value = int(line)
            session.force_roundtrip()
            answer([float(source.data["y"][at]) for at in (1, 999)])
    session.close()
    answer("closed")


def answer(value):
    print(json.dumps(value), flush=True)


main()
