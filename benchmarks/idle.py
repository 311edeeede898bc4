"""What a connection costs that waits for its next request: ``python -m benchmarks.idle``.

One worker holds 10,000 keep-alive connections, each of which was answered once. Counted is the resident memory of the
server, from before its first connection, divided by their number; what the kernel holds for a connection is told
apart, for one end of it, from what ``/proc/meminfo`` counts as slabs that cannot be reclaimed.

The bound of 4 KiB is that of the default loop, uvloop. On asyncio's own loop transports are those of ``aiofastnet``,
which hold an array of 4,096 bytes each.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.environment import Environment
from benchmarks.findings import Finding, load_server, report
from benchmarks.measure import running
from benchmarks.options import make_parser, parse
from benchmarks.soak import close_all, open_answered, raise_file_limit, read_rss

__all__ = ["main", "measure", "read_slabs"]

CONNECTIONS = 10_000
LOOPS = {"uvloop": 4.0, "asyncio": None}
"""Event loop -> KiB that a connection may cost."""


def read_slabs(text: str | None = None) -> int:
    """Kernel memory in slabs that cannot be reclaimed, in KiB, of the whole machine.

    >>> read_slabs("Slab: 9 kB\\nSUnreclaim:       12345 kB\\n")
    12345
    """
    (found,) = re.findall(r"^SUnreclaim:\s+(\d+) kB$", text or Path("/proc/meminfo").read_text(), re.MULTILINE)
    return int(found)


def measure(environment: Environment, loop: str, connections: int = CONNECTIONS) -> list[Finding]:
    """Opens the connections to one server.

    :raises benchmarks.errors.HarnessError: if it does not serve, or answers wrongly.
    """
    with running(load_server(loop), environment) as (pid, port):
        before, slabs = read_rss(pid), read_slabs()
        clients = open_answered(port, connections)
        each = (read_rss(pid) - before) / connections
        kernel = (read_slabs() - slabs) / connections / 2
        close_all(clients)
    return [
        Finding(f"{loop}: {connections:,} idle connections, each", each, "KiB", LOOPS[loop]),
        Finding(f"{loop}: the kernel's part, each, about", kernel, "KiB"),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints the table and writes it; returns the exit status."""
    description = "What does a connection cost that waits for its next request?"
    options = parse(make_parser("benchmarks.idle", description, "LOOP", LOOPS, rounds=False), arguments)

    def all_loops(environment: Environment) -> list[Finding]:
        raise_file_limit(CONNECTIONS)
        return [finding for loop in options.only for finding in measure(environment, loop)]

    return report("idle", "Idle connections", options, all_loops)


if __name__ == "__main__":
    sys.exit(main())
