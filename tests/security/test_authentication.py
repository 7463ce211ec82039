"""AUTH: whatever a client sends, it is authenticated only if the configuration says so, and the session goes on."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from eximious.errors import ConfigError, ConfigErrors
from tests.expand.context import answer
from tests.receive.place import Server
from tests.security.place import EHLO, ENVELOPE, FAREWELL, server, shared_server

AUTHENTICATORS = """
acl_smtp_rcpt = rcpt
smtp_accept_max_nonmail = 1000
begin acl
rcpt:
  accept authenticated = *
         message = as <$authenticated_id>
  deny message = who?
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{joe}}{eq{$auth3}{secret}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = User : Password
  server_condition = ${if and{{eq{$auth1}{joe}}{eq{$auth2}{secret}}}}
  server_set_id = $auth1
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${if eq{$auth1}{joe}{secret}fail}
  server_set_id = $auth1
external:
  driver = external
  public_name = EXTERNAL
  server_param2 = $sender_helo_name
  server_condition = ${if eq{$auth1,$auth2}{joe,joe.test}}
  server_set_id = $auth1
"""
MECHANISMS = [b"PLAIN", b"LOGIN", b"CRAM-MD5", b"EXTERNAL", b"NTLM", b"XX"]


def encoded(octets: bytes) -> bytes:
    return base64.b64encode(octets)


def attempt(mechanism: bytes, *lines: bytes) -> str:
    """What is said to a client that authenticates so; all else that it says is in order."""
    there = shared_server(AUTHENTICATORS)
    said = there.talk(
        EHLO, b"AUTH " + mechanism + b"\r\n", *(line + b"\r\n" for line in lines), *ENVELOPE[1:], b"QUIT\r\n"
    )
    assert not any("Traceback" in line for line in there.logs.lines)
    return said


def test_the_right_ones_are_accepted() -> None:
    assert "250 as <joe>" in attempt(b"PLAIN " + encoded(b"\0joe\0secret"))
    assert "250 as <joe>" in attempt(b"LOGIN", encoded(b"joe"), encoded(b"secret"))


@pytest.mark.parametrize("rest", range(4))
@pytest.mark.parametrize("length", [1, 4, 100, 1021, 12_000])
@pytest.mark.parametrize("mechanism", MECHANISMS[:4])
def test_cve_2018_6789(mechanism: bytes, length: int, rest: int) -> None:
    """Base64 of a length that no base64 has, 4n+3 among them: an error, and the session goes on."""
    octets = b"A" * (4 * length + rest)
    for said in (attempt(mechanism + b" " + octets), attempt(mechanism, octets, octets)):
        assert "250 as" not in said
        assert said.endswith(FAREWELL)
    assert answer(f"${{base64d:{octets.decode()}}}") is not None


BLOBS = st.binary(max_size=40) | st.sampled_from(
    [b"joe", b"\0joe\0", b"\0\0", b"joe " + b"0" * 32, b"\0" * 5000, b"\xff" * 5000]
)


@pytest.mark.slow
@settings(max_examples=150, deadline=1000)
@given(st.sampled_from(MECHANISMS), st.lists(BLOBS, max_size=3), st.booleans())
def test_cve_2023_42115(mechanism: bytes, blobs: list[bytes], is_initial: bool) -> None:
    """Any number of answers of any content, to EXTERNAL and the others: nobody is let in, nothing is out of step."""
    assume(b"secret" not in b"".join(blobs))
    lines = [encoded(blob) for blob in blobs]
    first = b" " + lines.pop(0) if is_initial and lines else b""
    said = attempt(mechanism + first, *lines, b"*")
    assert "250 as" not in said
    assert all(line[:3].isdigit() for line in said.splitlines())


@settings(max_examples=100, deadline=1000)
@given(st.text(alphabet=st.characters(max_codepoint=255, blacklist_characters="\r\n\0")))
def test_cve_2023_42115_no_base64(line: str) -> None:
    """Answers that are no base64."""
    for mechanism in MECHANISMS[:4]:
        assert "250 as" not in attempt(mechanism, line.encode("latin-1"), b"*")


SPA = "begin authenticators\ns:\n driver = spa\n public_name = NTLM\n server_password = x\n"


def assert_no_spa(folder: Path) -> None:
    """The mechanism of these holes is not there: a configuration with it is refused, a client that asks for it, too."""
    with pytest.raises((ConfigError, ConfigErrors)):
        Server(folder, SPA)
    blob = b"NTLMSSP\0\3\0\0\0" + b"\xff\xff\xff\xff\xff\xff\xff\x7f" * 6
    assert "504 NTLM authentication mechanism not supported" in attempt(b"NTLM " + encoded(blob))


def test_cve_2020_12783(tmp_path: Path) -> None:
    assert_no_spa(tmp_path)


def test_cve_2023_42114(tmp_path: Path) -> None:
    assert_no_spa(tmp_path)


def test_cve_2023_42116(tmp_path: Path) -> None:
    assert_no_spa(tmp_path)


def test_cve_2026_40687(tmp_path: Path) -> None:
    assert_no_spa(tmp_path)


@pytest.mark.parametrize(
    "first", [(b"PLAIN", b"*"), (b"LOGIN", encoded(b"joe"), b"*"), (b"LOGIN", encoded(b"joe"), encoded(b"no"))]
)
@pytest.mark.parametrize(
    "second", [(b"PLAIN", encoded(b"\0\0")), (b"EXTERNAL", encoded(b"")), (b"LOGIN", encoded(b""), encoded(b"secret"))]
)
def test_cve_2011_1720(first: tuple[bytes, ...], second: tuple[bytes, ...], tmp_path: Path) -> None:
    """Postfix's: an attempt knows nothing of the one before it, whatever the mechanism."""
    there = server(tmp_path, AUTHENTICATORS)
    attempts = [b"AUTH " + b"\r\n".join(words) + b"\r\n" for words in (first, second, second)]
    said = there.talk(
        EHLO, *(line + b"\r\n" for one in attempts for line in one.split(b"\r\n")[:-1]), *ENVELOPE[1:], b"QUIT\r\n"
    )
    assert "235" not in said
    assert "550 who?" in said
