"""A document with a slider that moves a line, and a number that the server changes by itself."""

from bokeh.layouts import column
from bokeh.models import ColumnDataSource, Slider
from bokeh.plotting import curdoc, figure

source = ColumnDataSource(data={"x": list(range(1000)), "y": list(range(1000))})
slider = Slider(name="factor", start=1, end=1000, value=1)
plot = figure(name="plot")
plot.line("x", "y", source=source)


def move(attribute, old, new):
    source.data = {"x": source.data["x"], "y": [new * x for x in source.data["x"]]}


def tick():
    plot.title.text = f"{int(plot.title.text or 0) + 1}"


slider.on_change("value", move)
curdoc().add_root(column(slider, plot))
curdoc().add_periodic_callback(tick, 20)
curdoc().title = "compat"
