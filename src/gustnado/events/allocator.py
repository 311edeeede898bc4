"""Keeps the C library from giving memory back to the system, and fetching it again, on each turn of the loop.

A turn in which large messages arrive for many connections holds all of them at once, then frees them all. glibc
returns what is free at the end of its heap above 128 KiB, and every page of it costs a fault when the next turn
needs it again: twice the CPU time of an echo of 64 KiB on 64 connections (benchmarks/streams.py). But glibc learns
(mallopt(3), "dynamic mmap threshold"): when a program frees a large block that has a mapping of its own, later
blocks of that size stay in the heap, and twice that size may lie free at its end. So we free one.
"""

from __future__ import annotations

import functools

__all__ = ["LEARNT_SIZE", "keep_freed_memory"]

LEARNT_SIZE = 8 * 1024 * 1024
"""Bytes of the block; glibc keeps up to twice as much. (It learns nothing from blocks above 32 MiB.)"""


@functools.cache
def keep_freed_memory() -> None:
    """Let 16 MiB of what was freed stay with this process. Once is enough; other C libraries do not care."""
    # Zeroes that nobody touches: the system maps the block, but never fills it.
    bytes(LEARNT_SIZE)
