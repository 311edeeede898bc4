"""Options in groups, so that a long help reads like a page; what is wrong with one is told with its place."""

from __future__ import annotations

from typing import Any

import click
from click.core import ParameterSource

__all__ = ["GroupedCommand", "GroupedOption", "Number", "WholeNumber"]


class WholeNumber(click.IntRange):
    """One within bounds."""

    name = "whole number"


class Number(click.FloatRange):
    """One within bounds."""

    name = "number"


class GroupedOption(click.Option):
    """An option that belongs to a group, and can be set by an environment variable.

    :param group: the heading under which the help shows it.
    """

    def __init__(self, *args: Any, group: str = "Options", **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.group = group

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """How an error names the option; called by click."""
        source = None if ctx is None or self.name is None else ctx.get_parameter_source(self.name)
        if source is ParameterSource.ENVIRONMENT:
            return f"environment variable {self.envvar}"
        if source is ParameterSource.DEFAULT_MAP:
            return f"{self.name} in the file of --config"
        return super().get_error_hint(ctx)


class GroupedCommand(click.Command):
    """A command whose help shows its options under their groups, in the order of their first option."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options; called by click."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                groups.setdefault(getattr(parameter, "group", "Help"), []).append(record)
        width = max((len(record[0]) for records in groups.values() for record in records), default=0)
        for name, records in groups.items():
            with formatter.section(name):
                # One width for all groups, so that the columns are in line.
                first, *rest = records
                formatter.write_dl([(first[0].ljust(min(width, 26)), first[1]), *rest], col_max=26)
