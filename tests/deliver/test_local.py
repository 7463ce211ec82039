"""Jobs done by other processes, as other users."""

from __future__ import annotations

import asyncio
import functools
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eximious import waiting
from eximious.deliver.agent import Agent, AgentJobs, decode_identity
from eximious.deliver.local import ForkedJobs
from eximious.transports.job import Content, Identity, Job, own_identity
from eximious.transports.transform import Transform

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="becomes other users")
ENVIRONMENT = {"PATH": "/bin:/usr/bin"}


def command(script: str, identity: Identity, content: Content | None = None, **options: Any) -> Job:
    arguments = {
        "argv": ["/bin/sh", "-c", script],
        "environment": ENVIRONMENT,
        "timeout": 20,
        "max_output": 1 << 20,
        "permit_coredump": False,
    }
    return Job("command", identity, arguments, content, **options)


@pytest.fixture
def forked() -> Iterator[ForkedJobs]:
    jobs = ForkedJobs()
    yield jobs
    jobs.close()


@needs_root
@pytest.mark.needs_root
def test_becomes_the_user_for_good(forked: ForkedJobs, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    job = command("id -u; id -G; pwd; umask; grep ^Uid /proc/self/status", Identity(4321, 4322, (4322, 4323)))
    job.directory, job.umask = "/usr", 0o027
    ended = forked.run(job)
    assert ended.values["output"].split() == [
        "4321",
        "4322",
        "4323",
        "/usr",
        "0027",
        "Uid:",
        "4321",
        "4321",
        "4321",
        "4321",
    ]


@needs_root
@pytest.mark.needs_root
@pytest.mark.parametrize("uid", [0, 4321])
def test_users_never_to_be_used(uid: int) -> None:
    jobs = ForkedJobs(never=frozenset((0, 4321)))
    ended = jobs.run(command("id", Identity(uid, 4321)))
    assert (ended.status, ended.message) == ("deferred", f"local delivery: uid {uid} is on the never_users list")


@needs_root
@pytest.mark.needs_root
def test_job_servers_are_used_again(forked: ForkedJobs) -> None:
    identity = Identity(4321, 4321)
    parents = {forked.run(command("echo $PPID", identity)).values["output"] for _ in range(3)}
    assert len(parents) == 1


@needs_root
@pytest.mark.needs_root
def test_a_body_in_a_file(forked: ForkedJobs, tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_bytes(b"skip\n.one\ntwo\n")
    content = Content(b"Head: er\n\n", tail=b"end\n")
    content.descriptor = os.open(body, os.O_RDONLY)
    os.lseek(content.descriptor, 5, os.SEEK_SET)
    content.transform = Transform(b".", b"..")
    ended = forked.run(command("cat", Identity(4321, 4321), content))
    os.close(content.descriptor)
    assert ended.values["output"] == "Head: er\n\n..one\ntwo\nend\n"


@needs_root
@pytest.mark.needs_root
def test_a_job_server_that_is_killed(forked: ForkedJobs) -> None:
    ended = forked.run(command("kill -9 $PPID; sleep 1", Identity(4321, 4321)))
    assert (ended.status, ended.message) == ("deferred", "local delivery process ended before its job was done")
    assert forked.run(command("echo alive", Identity(4321, 4321))).values["output"] == "alive\n"


def test_a_process_that_is_the_user_does_it_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4321)
    jobs = ForkedJobs()
    before = os.getcwd()
    ended = jobs.run(command("echo $PPID; pwd", own_identity(), directory="/usr"))
    assert ended.values["output"] == f"{os.getpid()}\n/usr\n"
    assert os.getcwd() == before


@pytest.fixture
def agent_jobs() -> Iterator[AgentJobs]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        ours.close()
        Agent([theirs], frozenset((4444,))).run()
        os._exit(0)
    theirs.close()
    jobs = AgentJobs(ours)
    yield jobs
    jobs.close()
    ours.close()
    assert os.waitpid(pid, 0)[1] == 0


@needs_root
@pytest.mark.needs_root
def test_by_the_agent_from_an_event_loop(agent_jobs: AgentJobs) -> None:
    def deliveries() -> list[Any]:
        return waiting.gather(
            [
                functools.partial(agent_jobs.run, command("sleep 0.1; id -u", Identity(uid, 4321)))
                for uid in (4321, 4322, 4444)
            ],
            at_most=3,
        )

    ended = asyncio.run(waiting.run(deliveries))
    assert [end.values.get("output") for end in ended] == ["4321\n", "4322\n", None]
    assert ended[2].message == "local delivery: uid 4444 is on the never_users list"


@needs_root
@pytest.mark.needs_root
def test_a_large_job_and_answer_over_the_loop(agent_jobs: AgentJobs) -> None:
    text = b"0123456789" * 100_000
    ended = asyncio.run(waiting.run(lambda: agent_jobs.run(command("cat", Identity(4321, 4321), Content(text)))))
    assert ended.values["output"] == text.decode()


@pytest.mark.parametrize(
    "request_", [b"", b"{", b"[1]", b"[1,2,3]", b'[1,2,["x"]]', b"[-1,0,[]]", b"[4294967295,1,[]]", b"[1.5,1,[]]"]
)
def test_requests_that_make_no_sense(request_: bytes) -> None:
    with pytest.raises(ValueError, match="unintelligible"):
        decode_identity(request_)
