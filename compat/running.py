"""Runs a program on both legs, and compares."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from compat.environments import BUILD, prepare
from compat.errors import CompatError
from compat.program import Program
from compat.serving import LEGS, Place, free_port, running
from compat.session import Session

__all__ = ["Outcome", "compare", "run_both", "run_once"]


@dataclass(frozen=True)
class Outcome:
    """What one leg of one program did."""

    session: Session
    status: int | None
    complaints: Sequence[str]


def run_once(program: Program, leg: str, python: Path) -> Outcome:
    """Start it, drive it, end it.

    :raises CompatError: if it does not do what it should.
    """
    folder = BUILD / "runs" / f"{program.name}-{leg}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    place = Place(leg, python, free_port(), folder)
    with program.surroundings(place) as environment:
        try:
            with running(place, program.arguments(place), environment) as server:
                session = Session(server)
                with session.http:
                    program.drive(session)
                if program.ends_itself:
                    server.wait()
        except CompatError as error:
            raise CompatError(f"{program.name} on {leg}: {error}") from error
    return Outcome(session, server.status, server.complaints())


def compare(program: Program, tornado: Outcome, gustnado: Outcome) -> None:
    """Both legs must have found the same, ended alike, and Gustnado's must not complain more.

    :raises CompatError: if they do not.
    """
    ours, theirs = gustnado.session.facts, tornado.session.facts
    differences = [
        f"{name}: {theirs.get(name)!r} on tornado, {ours.get(name)!r} on gustnado"
        for name in sorted(ours.keys() | theirs.keys())
        if ours.get(name) != theirs.get(name)
    ]
    if gustnado.status != tornado.status:
        differences.append(f"exit status: {tornado.status} on tornado, {gustnado.status} on gustnado")
    new = set(gustnado.complaints) - set(tornado.complaints)
    if new:
        differences.append(f"only on gustnado: {sorted(new)}; its log:\n{gustnado.session.server.tail()}")
    if differences:
        raise CompatError(f"{program.name}: " + "\n".join(differences))


def run_both(program: Program) -> tuple[Outcome, Outcome, dict[str, str]]:
    """Run it on Tornado and on Gustnado; returns both outcomes and the versions of its packages.

    :raises CompatError: if it does not do the same on both.
    """
    python = prepare(program.name)
    tornado, gustnado = (run_once(program, leg, python) for leg in LEGS)
    compare(program, tornado, gustnado)
    return tornado, gustnado, {name: _version(python, name) for name in program.packages}


def _version(python: Path, package: str) -> str:
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
