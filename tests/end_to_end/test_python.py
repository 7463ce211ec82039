"""A daemon whose policy asks functions in Python."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.end_to_end.configurations import MAILDIR
from tests.end_to_end.server import Server

pytestmark = pytest.mark.slow

POLICY = """
import asyncio, os
started = os.getpid()

async def verdict(address):
    await asyncio.sleep(0.01)
    if address.startswith("spam"):
        raise ValueError("we know you")
    return "yes" if address.startswith("good") else "no"

def where():
    return f"pid-{os.getpid() == started}-root-{0 in os.getresuid()}"
"""


@pytest.fixture
def server() -> Iterator[Server]:
    rest = """
python_path = {folder}/python
python_startup = policy
python_timeout = 10s
acl_smtp_mail = check_sender
begin acl
check_sender:
  accept senders = :
  accept condition = ${python{policy.verdict}{$sender_address}}
         logwrite = where: ${python{policy.where}}
  deny message = not good
"""
    made = Server(rest + MAILDIR.replace("{away}", "1"))
    folder = made.folder / "python"
    folder.mkdir(mode=0o755)
    (folder / "policy.py").write_text(POLICY)
    try:
        (made.folder / "users").write_text("alice: alice\n")
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(made.folder)


def answer(server: Server, sender: str) -> tuple[int, str]:
    with server.client() as client:
        client.ehlo("laptop.test")
        code, text = client.mail(sender)
        return code, text.decode()


def test_senders(server: Server) -> None:
    assert answer(server, "good@far.test") == (250, "OK")
    assert answer(server, "other@far.test") == (550, "not good")
    code, text = answer(server, "spam@far.test")
    assert (code, text) == (451, "Temporary local problem - please try later")
    server.wait_for_log("where: pid-True-root-False")
    log = server.log()
    assert "policy.verdict: ValueError at " in log
    assert "policy.py:8: we know you" in log
