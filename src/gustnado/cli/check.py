"""``gustnado check``: look an application over without serving it."""

from __future__ import annotations

import sys

import click

from gustnado.cli.findings import Finding, list_routes, look_over
from gustnado.cli.loading import LoadError, load_app, short_traceback
from gustnado.web.application import Application

__all__ = ["check"]


@click.command(context_settings={"show_default": True})
@click.argument("app", envvar="GUSTNADO_APP")
@click.option("--app-dir", metavar="DIR", default=".", envvar="GUSTNADO_APP_DIR",
              help="Where modules are looked for first.")  # fmt: skip
@click.option("--strict", is_flag=True, help="Exit with status 1 if there is a warning.")
def check(app: str, app_dir: str, strict: bool) -> None:
    """Load APP, as MODULE:NAME, list its routes, and warn of settings that are unsafe.

    \b
    Examples:
      gustnado check shop:app
      gustnado check shop:make_app --strict      for a test before a deployment
    """
    try:
        loaded = load_app(app, app_dir)
    except LoadError as error:
        if error.__cause__ is not None:
            click.echo(short_traceback(error.__cause__), err=True)
        raise click.ClickException(str(error)) from error
    if not isinstance(loaded, Application):
        click.echo(f"{app} is of the class {type(loaded).__qualname__}: no Application, so there is no more to see.")
        return
    routes = list_routes(loaded)
    click.secho(f"{len(routes)} route{'s' * (len(routes) != 1)}", bold=True)
    width = min(50, max((len(route.pattern) for route in routes), default=0))
    for route in routes:
        name = f"  ({route.name})" if route.name else ""
        host = f"  on {route.host}" if route.host else ""
        click.echo(f"  {route.pattern:{width}}  {route.target}{name}{host}")
    findings = look_over(loaded)
    for finding in findings:
        _show(finding)
    click.echo("no warnings" if not findings else f"{len(findings)} warnings")
    if strict and findings:
        sys.exit(1)


def _show(finding: Finding) -> None:
    click.echo(f"{click.style('Warning:', fg='yellow')} {finding.what}")
    click.echo(f"         {finding.remedy}")
