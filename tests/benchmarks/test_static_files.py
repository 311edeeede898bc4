from __future__ import annotations

from benchmarks.static_files import SIZES, content, make_files


def test_files_are_made_once(tmp_path):
    folder = make_files(tmp_path / "files")
    assert {path.name: path.stat().st_size for path in folder.iterdir()} == SIZES
    assert (folder / "10k.bin").read_bytes() == content("10k.bin")
    before = (folder / "10k.bin").stat().st_mtime_ns
    (folder / "10m.bin").write_bytes(b"cut short")
    make_files(folder)
    assert (folder / "10k.bin").stat().st_mtime_ns == before
    assert (folder / "10m.bin").stat().st_size == SIZES["10m.bin"]
