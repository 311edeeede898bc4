"""The files that servers of static files are measured with: small and large, the same in each run.

>>> [(name, size) for name, size in SIZES.items()]
[('10k.bin', 10240), ('10m.bin', 10485760)]
>>> content("10k.bin")[254:258]
b'\\xfe\\xff\\x00\\x01'
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["SIZES", "content", "make_files"]

SIZES = {"10k.bin": 10 * 1024, "10m.bin": 10 * 1024 * 1024}
"""Name -> size in bytes."""


def content(name: str) -> bytes:
    """What is in a file."""
    return bytes(range(256)) * (SIZES[name] // 256)


def make_files(folder: Path) -> Path:
    """Writes all files into a folder, where they are not there; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, size in SIZES.items():
        path = folder / name
        if not path.exists() or path.stat().st_size != size:
            path.write_bytes(content(name))
    return folder
