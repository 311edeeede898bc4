"""Options in groups, so that a long help reads like a page."""

from __future__ import annotations

from typing import Any

import click

__all__ = ["GroupedCommand", "GroupedOption"]


class GroupedOption(click.Option):
    """An option that belongs to a group, and can be set by an environment variable.

    :param group: the heading under which the help shows it.
    """

    def __init__(self, *args: Any, group: str = "Options", **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.group = group


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
