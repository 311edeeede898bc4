"""The command line: ``python -m compat``."""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Sequence

from compat.errors import CompatError
from compat.programs import PROGRAMS
from compat.report import render
from compat.running import run_both

__all__ = ["main"]

DESCRIPTION = """\
Runs programs that were written for Tornado, as they are released, once on Tornado and once on Gustnado
(python -m gustnado.as_tornado), drives both with the same client, and compares what they answer.

The first run makes a virtual environment for each program below build/compat/."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; the exit status is 1 if anything is wrong."""
    names = [program.name for program in PROGRAMS]
    parser = argparse.ArgumentParser(
        prog="python -m compat",
        description=DESCRIPTION,
        epilog="programs: " + ", ".join(names),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("programs", metavar="PROGRAM", nargs="*", help="which; without any: all of them")
    chosen = parser.parse_args(arguments).programs or names
    unknown = sorted(set(chosen) - set(names))
    if unknown:
        parser.error(f"no such program: {', '.join(unknown)}")
    done, failures = [], []
    for program in PROGRAMS:
        if program.name not in chosen:
            continue
        began = time.monotonic()
        try:
            done.append((program, *run_both(program)))
            verdict = "works"
        except CompatError as error:
            failures.append(str(error))
            verdict = "FAILS"
        print(f"{program.name}: {verdict}, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    print(f"CPython {platform.python_version()}, {time.strftime('%Y-%m-%d', time.gmtime())}\n")
    print(render(done))
    for failure in failures:
        print(f"\nFAILED {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
