from __future__ import annotations

import click
from click.testing import CliRunner

from gustnado.cli.options import GroupedCommand, GroupedOption


@click.command(cls=GroupedCommand)
@click.argument("thing")
@click.option("--port", cls=GroupedOption, group="Where", help="A port.")
@click.option("--cert", cls=GroupedOption, group="TLS", help="A file.")
@click.option("--host", cls=GroupedOption, group="Where", help="A name.")
@click.option("--hidden", cls=GroupedOption, group="Secret", hidden=True)
def command(**values: str) -> None:
    """Does nothing."""


def test_options_stand_under_their_groups_in_the_order_of_the_first() -> None:
    lines = CliRunner().invoke(command, ["--help"]).output.splitlines()
    places = [lines.index(f"{heading}:") for heading in ("Where", "TLS", "Help")]
    assert places == sorted(places)
    where = "\n".join(lines[places[0] : places[1]])
    assert "--port" in where
    assert "--host" in where
    assert "--cert" in "\n".join(lines[places[1] : places[2]])
    assert not [line for line in lines if "hidden" in line or "Secret" in line]


def test_the_columns_are_in_line() -> None:
    lines = CliRunner().invoke(command, ["--help"]).output.splitlines()
    columns = {line.index(text) for line in lines for text in ("A port.", "A file.", "A name.") if text in line}
    assert len(columns) == 1
