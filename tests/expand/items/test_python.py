"""``${python``: real functions, in their process."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from eximious import waiting
from eximious.context import Context
from eximious.errors import ExpandError, ForcedFail
from eximious.expand.python_process import PythonProcess, check_folder
from eximious.expand.template import compile
from eximious.taint import Tainted, is_tainted

from ..context import make_context

MODULE = """
import asyncio, os, sys, time

calls = 0

def greet(*names):
    return "hello " + ", ".join(names)

def count():
    global calls
    calls += 1
    return str(calls)

async def slowly(text):
    await asyncio.sleep(0.01)
    return text[::-1]

def later(text):
    return slowly(text)

def nothing(): return None
def number(): return 7
def surrogate(): return chr(0xd800)
def identity(): return f"{os.getuid()} {os.geteuid()} {os.getgid()} {os.getgroups()}"
def fails(text): raise ValueError("no such\\n customer: " + text)
def silent(): raise KeyError
def times_out(): raise TimeoutError("the server is down")
def leaves(): sys.exit("bye")
def stops(): raise StopIteration
def sleeps(): time.sleep(60)
async def sleeps_too(): await asyncio.sleep(60)
def dies(): os._exit(3)
def prints():
    print("noise")
    return sys.stdin.read() + "quiet"
def environment(): return ":".join(sorted(os.environ))

constant = 7
"""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder with modules that other users can read, too."""
    made = Path(tempfile.mkdtemp())
    made.chmod(0o755)
    (made / "ours.py").write_text(MODULE)
    (made / "broken.py").write_text("1 / 0\n")
    yield made
    shutil.rmtree(made)


def new_context(folder: Path, settings: str = "") -> Context:
    return make_context(
        f"primary_hostname = mail.example.test\nexim_user = mail\nexim_group = mail\npython_path = {folder}\n{settings}"
    )


@pytest.fixture
def context(folder: Path) -> Iterator[Context]:
    made = new_context(folder)
    yield made
    made.services.python.close()


def expand(text: str, context: Context) -> str:
    return compile(text).expand(context)


RESULTS = [
    ("${python{ours.greet}}", "hello "),
    ("${python{ours.greet}{a}{b c}}", "hello a, b c"),
    ("${python{ours.greet}{\xc3\xa4}{\xff}}", "hello \xc3\xa4, \xff"),
    ("${python{ours.slowly}{abc}}", "cba"),
    ("${python{ours.slowly}{\xc3\xa4b}}", "b\xc3\xa4"),
    ("${python{ours.later}{abc}}", "cba"),
    ("${python{ours.surrogate}}", "?"),
    ("${python{ours.prints}}", "quiet"),
    ("${python{ours.greet}{${python{ours.slowly}{ba}}}}", "hello ab"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("text", "expected"), RESULTS)
def test_result(text: str, expected: str, context: Context) -> None:
    assert expand(text, context) == expected


ERRORS = [
    ("${python{ours.fails}{x}}", "ours.fails: no such customer: x"),
    ("${python{ours.silent}}", "ours.silent: KeyError"),
    ("${python{ours.times_out}}", "ours.times_out: the server is down"),
    ("${python{ours.leaves}}", "ours.leaves: bye"),
    ("${python{ours.stops}}", "ours.stops: StopIteration"),
    ("${python{ours.number}}", "ours.number: returned int, not a string"),
    ("${python{ours.constant}}", "ours.constant: ours.constant is not a function"),
    ("${python{ours.none}}", "ours.none: module 'ours' has no attribute 'none'"),
    ("${python{absent.f}}", "absent.f: No module named 'absent'"),
    ("${python{broken.f}}", "broken.f: division by zero"),
    ("${python{ours.dies}}", "ours.dies: the process for ${python ended"),
    ("${python{os.getcwd}}", "os.getcwd: module os is neither below python_path nor named in python_startup"),
    ("${python{greet}}", '"greet" is not of the form module.function'),
    ("${python{ours.__class__}}", '"ours.__class__" is not of the form module.function'),
    ("${python{ours._private}}", '"ours._private" is not of the form module.function'),
    ("${python{ours.greet }}", '"ours.greet " is not of the form module.function'),
    ("${python}", "Not enough arguments for 'python' (min is 1)"),
    ("${python{a}{1}{2}{3}{4}{5}{6}{7}{8}{9}}", "Too many arguments for 'python' (max is 9)"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("text", "expected"), ERRORS)
def test_error(text: str, expected: str, context: Context) -> None:
    with pytest.raises(ExpandError) as raised:
        expand(text, context)
    assert str(raised.value) == expected


@pytest.mark.slow
def test_where_an_exception_was_raised_is_for_the_log_alone(context: Context, folder: Path) -> None:
    with pytest.raises(ExpandError) as raised:
        expand("${python{ours.fails}{x}}", context)
    assert str(folder) not in str(raised.value)
    (line,) = context.services.logs.lines  # type: ignore[attr-defined]
    assert line.startswith(f"${{python: ours.fails: ValueError at {folder}/ours.py:")


@pytest.mark.slow
def test_none_is_forced_failure(context: Context) -> None:
    with pytest.raises(ForcedFail, match=r'Python function "ours\.nothing" returned None to force failure'):
        expand("${python{ours.nothing}}", context)


@pytest.mark.slow
def test_the_process_and_its_modules_last(context: Context) -> None:
    assert [expand("${python{ours.count}}", context) for _ in range(3)] == ["1", "2", "3"]


@pytest.mark.slow
def test_after_the_process_has_died_there_is_another(context: Context) -> None:
    assert expand("${python{ours.count}}", context) == "1"
    with pytest.raises(ExpandError):
        expand("${python{ours.dies}}", context)
    assert expand("${python{ours.count}}", context) == "1"


@pytest.mark.slow
@pytest.mark.parametrize("function", ["sleeps", "sleeps_too"])
def test_time_limit(function: str, folder: Path) -> None:
    context = new_context(folder, "python_timeout = 1s\n")
    context.services.python.limit = 0.2
    begun = time.monotonic()
    try:
        with pytest.raises(ExpandError, match=f"ours.{function}: no result within 0.2 s"):
            expand(f"${{python{{ours.{function}}}}}", context)
        assert time.monotonic() - begun < 5
        assert expand("${python{ours.greet}{again}}", context) == "hello again"
    finally:
        context.services.python.close()


@pytest.mark.slow
def test_taint(context: Context) -> None:
    context.message.sender = Tainted("a@b")
    assert is_tainted(expand("${python{ours.greet}{$sender_address}}", context))
    assert not is_tainted(expand("${python{ours.greet}{x}}", context))
    context.message.sender = Tainted("ours.greet")
    with pytest.raises(ExpandError):
        expand("${python{$sender_address}}", context)
    assert context.services.logs.lines == [  # type: ignore[attr-defined]
        "Tainted 'ours.greet' (function for ${python} expansion) not permitted"
    ]


def test_forbidden_where_perl_is(context: Context) -> None:
    context.facts["forbid_perl"] = True
    with pytest.raises(ExpandError, match="Python calls are not permitted"):
        expand("${python{ours.greet}}", context)


@pytest.mark.needs_root
def test_cve_2016_1531(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """Embedded code never has root's rights, and nobody's environment changes what it does."""
    if os.geteuid() != 0:
        pytest.skip("only root has something to lose")
    monkeypatch.setenv("PYTHONPATH", "/evil")
    monkeypatch.setenv("LD_PRELOAD", "/evil.so")
    main = context.config.main
    expected = f"{main.exim_user} {main.exim_user} {main.exim_group} [{main.exim_group}]"
    assert expand("${python{ours.identity}}", context) in (expected, expected.replace(f"[{main.exim_group}]", "[]"))
    names = expand("${python{ours.environment}}", context).split(":")
    assert not {"PYTHONPATH", "LD_PRELOAD"} & set(names)


@pytest.mark.needs_root
def test_nobody_but_root(folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root has something to lose")
    process = PythonProcess([str(folder)], [], 5.0, 0, 0)
    with pytest.raises(ExpandError, match="do not run as root"):
        process.call("ours.greet", [])


def test_no_setting() -> None:
    with pytest.raises(ExpandError, match="A setting of python_path or python_startup is needed"):
        expand("${python{ours.greet}}", make_context())


@pytest.mark.slow
def test_startup_names_what_may_be_called_from_elsewhere(folder: Path) -> None:
    context = new_context(folder, "python_startup = ours : broken : textwrap\n")
    context.services.python.start()
    try:
        assert expand("${python{textwrap.dedent}{  x}}", context) == "x"
    finally:
        context.services.python.close()


def test_folders(tmp_path: Path) -> None:
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    (tmp_path / "file").touch()
    for path, complaint in [
        ("relative", "python_path: relative is not an absolute path"),
        (f"{tmp_path}/none", f"python_path: {tmp_path}/none: No such file or directory"),
        (f"{tmp_path}/file", f"python_path: {tmp_path}/file is not a directory"),
        (str(open_to_all), f"python_path: anybody may write into {open_to_all}"),
    ]:
        with pytest.raises(ExpandError) as raised:
            check_folder(path)
        assert str(raised.value) == complaint


@pytest.mark.slow
def test_in_the_daemon_async_functions_run_side_by_side(folder: Path) -> None:
    import asyncio

    context = new_context(folder)

    async def all_at_once() -> list[str]:
        calls = [waiting.run(expand, f"${{python{{ours.slowly}}{{{n}}}}}", context) for n in range(20)]
        results = await asyncio.gather(*calls)
        await waiting.run(context.services.python.close)
        return results

    assert sorted(asyncio.run(all_at_once())) == sorted(str(n)[::-1] for n in range(20))
