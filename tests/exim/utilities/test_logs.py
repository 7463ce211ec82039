"""exigrep and exicyclog."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest

from eximious.exim.utilities import exicyclog, exigrep

LOG = """\
2026-11-24 23:28:20 exim 4.99 daemon started: pid=31803, no queue runs, not listening for SMTP
2026-11-24 23:28:20 1xVzvw-000000008Gz-0cgA <= sender@far.test H=localhost [127.0.0.1] P=esmtp S=210
2026-11-24 23:28:20 1xVzvw-000000008Gz-0cgA ** bob@mail.test : Unrouteable address
2026-11-24 23:28:20 1xVzvw-000000008Gz-0i6a <= <> R=1xVzvw-000000008Gz-0cgA U=mail P=local S=1502
2026-11-24 23:28:20 1xVzvw-000000008Gz-0cgA Completed
2026-11-24 23:28:20 bob something without id
2026-11-24 23:28:20 1xVzvw-000000008Gz-0i6a H=127.0.0.1 [127.0.0.1] Connection refused
2026-11-24 23:29:20.123 +0100 [1234] 1xVzvz-000000008Gz-0i6a <= <> U=mail P=local S=1502
2026-11-24 23:29:50.456 +0100 [1234] 1xVzvz-000000008Gz-0i6a Completed
2026-11-24 23:30:00 16VDhn-0001bo-D3 <= old@far.test P=esmtp S=210
2026-11-24 23:30:00 16VDhn-0001bo-D3 Completed
"""

SEARCHES: list[tuple[list[str], list[str], list[str]]] = [
    (["bob"], ["0cgA <=", "0cgA **", "0cgA Completed", "bob something"], ["0i6a", "1xVzvz"]),
    (["BOB"], ["0cgA <="], []),
    (["-I", "BOB"], [], ["0cgA"]),
    (["-l", "b.b"], [], ["0cgA"]),
    (["b.b"], ["0cgA <="], []),
    (["-M", "bob"], ["0cgA <=", "+++ 1xVzvw-000000008Gz-0i6a has not completed +++"], ["1xVzvz"]),
    (["refused"], ["+++ 1xVzvw-000000008Gz-0i6a has not completed +++", "0i6a H="], ["0cgA **"]),
    (["-v", "bob"], ["daemon started", "1xVzvz", "0i6a <=", "0cgA **"], []),  # stories in which a line is without
    (["-v", "-I", "-l", "2026"], [], ["daemon started", "<="]),
    (["-t20", "U=mail"], ["1xVzvz"], []),
    (["-t", "60", "U=mail"], ["0i6a <="], ["1xVzvz"]),
    (["old@"], ["16VDhn-0001bo-D3 Completed"], []),
    (["nothing at all"], [], ["2026"]),
]


@pytest.mark.parametrize(("arguments", "present", "absent"), SEARCHES)
def test_search(arguments: list[str], present: list[str], absent: list[str]) -> None:
    wish, files = exigrep.parse(arguments)
    output = io.StringIO()
    exigrep.search(wish, LOG.splitlines(keepends=True), output)
    assert files == []
    assert [part for part in present if part not in output.getvalue()] == []
    assert [part for part in absent if part in output.getvalue()] == []


@pytest.mark.parametrize("arguments", [[], ["-x", "y"], ["("], ["-t"]])
def test_what_cannot_be_understood(arguments: list[str]) -> None:
    assert exigrep.main(arguments) == 2


def test_compressed_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mainlog.02.gz"
    with gzip.open(path, "wt") as file:
        file.write(LOG)
    assert exigrep.main(["bob", str(path), str(tmp_path / "absent")]) == 0
    output = capsys.readouterr()
    assert "0cgA **" in output.out
    assert "absent" in output.err


def test_logs_move_up_by_one(tmp_path: Path) -> None:
    path = str(tmp_path / "%slog")
    for content in ("first", "second", "third", "fourth"):
        (tmp_path / "mainlog").write_text(content)
        assert exicyclog.main(["-k", "3", "-l", path]) == 0
    assert (tmp_path / "mainlog.01").read_text() == "fourth"
    packed = [gzip.decompress((tmp_path / f"mainlog.0{number}.gz").read_bytes()) for number in (2, 3)]
    assert packed == [b"third", b"second"]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["mainlog.01", "mainlog.02.gz", "mainlog.03.gz"]


def test_three_digits_for_many(tmp_path: Path) -> None:
    (tmp_path / "mainlog").write_text("x")
    exicyclog.main(["-k", "100", "-l", str(tmp_path / "%slog")])
    assert (tmp_path / "mainlog.001").exists()


def test_no_log_no_work(tmp_path: Path) -> None:
    assert exicyclog.main(["-l", str(tmp_path / "%slog")]) == 0
    assert list(tmp_path.iterdir()) == []
    assert exicyclog.main(["-z"]) == 1
