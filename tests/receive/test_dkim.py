"""DKIM in a session: signatures and keys of all kinds, as the ACL, the variables and the logs show them.

The reference was asked for what it says of each, except where a comment says otherwise.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from eximious.mailauth.dkim import PrivateKey, Signer, sign
from tests.mailauth.keys import ED25519, RSA, rsa
from tests.receive.place import Server, headers_of

MESSAGE = b"From: Joe <a@test.ex>\r\nTo: b@other.ex\r\nSubject: x y\r\n\r\nhello  world \r\nmore\r\n\r\n\r\n"
SMALL = PrivateKey(rsa(1024))
KEYS = {"r": RSA, "s": SMALL, "e": ED25519}
HELO = b"EHLO client.test\r\n"
ENVELOPE = b"MAIL FROM:<joe@sender.test>\r\nRCPT TO:<a@test.ex>\r\nDATA\r\n"


def quoted(text: str) -> str:
    return " ".join(f'"{text[at : at + 200]}"' for at in range(0, len(text), 200))


ZONE = "".join(
    f"{selector}._domainkey.{domain} TXT {quoted(key.record())}\n"
    for selector, key in KEYS.items()
    for domain in ("test.ex", "one.ex", "two.ex", "three.ex")
)
CONFIGURATION = """
acl_smtp_rcpt = accept
acl_smtp_dkim = dkim
acl_smtp_data = data
log_selector = +dkim_verbose
%s
begin acl
dkim:
  %s
  accept
data:
  %s
  accept
"""


def signed(text: bytes = MESSAGE, domain: str = "test.ex", selector: str = "r") -> bytes:
    """With one more signature on top, of From, To and Subject."""
    key = KEYS.get(selector, RSA)
    return sign(text, Signer(domain, selector, key, ["from", "to", "subject"], with_time=False))


def pieces(*texts: bytes) -> list[bytes]:
    """What the client sends for these messages, each in two parts."""
    return [piece for text in texts for piece in (ENVELOPE, text + b".\r\n")]


def logged(folder: Path, *texts: bytes, main: str = "", dkim: str = "", data: str = "", zone: str = ZONE) -> list[str]:
    """The main log of a session with these messages; without the arrival, unless that shows a domain."""
    server = Server(folder, CONFIGURATION % (main, dkim, data), zone=zone)
    server.talk(HELO, *pieces(*texts), b"QUIT\r\n")
    lines = [line for line in server.logs.lines if not line.startswith("main: unexpected")]
    found = []
    for line in lines:
        arrival = re.match(r"main: <= .*?( DKIM=\S+)?$", line)
        if arrival is None:
            found.append(line.removeprefix("main: "))
        elif arrival[1]:
            found.append(arrival[1].strip())
    return found


GOOD = "DKIM: d=test.ex s=r c=relaxed/relaxed a=rsa-sha256 b=2048"
FAILED = f"{GOOD} [verification failed - signature did not verify (headers probably modified in transit)]"
OF = "header.d=test.ex header.s=r header.a=rsa-sha256"
NEUTRAL = "dkim=neutral (signature tag missing or invalid)\\n\t\t"
TAG = "[invalid - signature tag missing or invalid]"
SIGNATURES = [  # what is changed, status and reason, the lines of the log, the part of Authentication-Results
    ("", "", "pass <>", f"{GOOD} [verification succeeded]", f"dkim=pass {OF}"),
    ("more", "less", "fail <bodyhash_mismatch>",
     f"{GOOD} [verification failed - body hash mismatch (body probably modified in transit)]",
     f"dkim=fail (body hash mismatch; body probably modified in transit)\\n\t\t {OF}"),
    ("x y", "x z", "fail <signature_incorrect>", FAILED,
     f"dkim=fail (signature did not verify; headers probably modified in transit)\\n\t\t {OF}"),
    ("v=1; ", "", "invalid <>", f"{GOOD} {TAG}", f"{NEUTRAL} {OF}"),
    ("v=1; ", "v=2; ", "invalid <>", f"{GOOD} [invalid - unsupported DKIM version]",
     f"dkim=neutral (unsupported DKIM version)\\n\t\t {OF}"),
    (" d=test.ex;", "", "", "", f"{NEUTRAL} header.s=r header.a=rsa-sha256"),
    ("s=r;", "", "invalid <>", f"{GOOD.replace('s=r', 's=<UNSET>')} {TAG}",
     f"{NEUTRAL} header.d=test.ex header.a=rsa-sha256"),
    ("h=Subject:To:From;", "", "invalid <>", f"{GOOD} {TAG}", f"{NEUTRAL} {OF}"),
    (" a=rsa-sha256;", "", "", "", ""),
    (" a=rsa-sha256;", " a=rsa-md5;", "", "", ""),
    ("q=dns/txt", "q=dns/txt; zz=1", "fail <signature_incorrect>", FAILED, None),
    # Exim is not so strict with these. RFC 6376 says that From must be signed, and what i= may be.
    ("h=Subject:To:From;", "h=Subject:To;", "invalid <>", f"{GOOD} {TAG}", None),
    ("q=dns/txt", "q=dns/txt; i=joe@other.ex", "invalid <>", f"{GOOD} i=joe@other.ex {TAG}", None),
    ("q=dns/txt", "q=dns/txt; l=5000", "fail <bodyhash_mismatch>",
     f"{GOOD} l=5000 [verification failed - body hash mismatch (body probably modified in transit)]", None),
    ("d=test.ex", "d=te(st).ex", "", "", f"{NEUTRAL} header.s=r header.a=rsa-sha256"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "status", "line", "results"), SIGNATURES)
def test_signatures(tmp_path: Path, old: str, new: str, status: str, line: str, results: str | None) -> None:
    text = signed().replace(old.encode(), new.encode(), 1)
    found = logged(
        tmp_path,
        text,
        dkim="accept logwrite = $dkim_verify_status <$dkim_verify_reason>",
        data="accept logwrite = ${authresults {mail.test}}",
    )
    found = [one for one in found if not one.startswith("DKIM=")]
    header = found.pop()
    assert [one for one in found if "joe@" not in one or one == line][: 2 * bool(line)] == (
        [status, line] if line else []
    )
    if results is not None:
        assert header == "Authentication-Results: mail.test" + (f";\\n\t{results}" if results else "")


QUOTED = [
    ("i=j=6Fe@test.ex", "joe@test.ex", " header.i=joe@test.ex"),
    ("i=joe=3B=20spf=3Dpass@test.ex", "joe; spf=pass@test.ex", ""),  # would be a result of its own in a header
    ("i=joe=0D=0AX:=20y@test.ex", "joe\\r\\nX: y@test.ex", ""),
]


@pytest.mark.parametrize(("tag", "identity", "shown"), QUOTED)
def test_identities_are_decoded(tmp_path: Path, tag: str, identity: str, shown: str) -> None:
    text = signed().replace(b"q=dns/txt", b"q=dns/txt; " + tag.encode())
    data = "accept logwrite = ${escape:$dkim_identity}\n logwrite = ${authresults {mail.test}}"
    found = logged(tmp_path, text, data=data)
    assert found[-2] == identity
    assert found[-1].endswith(f"header.d=test.ex{shown} header.s=r header.a=rsa-sha256")


NOT_IMPORTED = "DKIM: d=test.ex s=k [failed key import]"
P = f"p={RSA.record().partition('p=')[2]}"
RECORDS = [
    (P, [], "pass <>"),
    (f"v=DKIM1; n=hello=20there; t=y:s; g=joe; s=email; {P}", [], "pass <>"),
    (f"v=DKIM2; {P}", [NOT_IMPORTED], "invalid <pubkey_dns_syntax>"),
    ("v=DKIM1; p=!!", [NOT_IMPORTED], "invalid <pubkey_dns_syntax>"),
    ("v=DKIM1; p=aGVsbG8=", [NOT_IMPORTED], "invalid <pubkey_der_syntax>"),
    ("v=DKIM1; p=", [NOT_IMPORTED], "invalid <pubkey_der_syntax>"),
    (f"v=DKIM1; h=sha1; {P}", [], "fail <>"),
    ("", [NOT_IMPORTED], "invalid <pubkey_unavailable>"),
]


@pytest.mark.parametrize(("record", "before", "status"), RECORDS)
def test_keys(tmp_path: Path, record: str, before: list[str], status: str) -> None:
    zone = f"k._domainkey.test.ex TXT {quoted(record)}\n" if record else ""
    log = "accept logwrite = $dkim_verify_status <$dkim_verify_reason>"
    found = logged(tmp_path, signed(selector="k"), dkim=log, zone=zone)
    assert found[: len(before) + 1] == [*before, status]


def test_the_body_is_looked_at_before_the_key(tmp_path: Path) -> None:
    text = signed().replace(b"more", b"less")
    found = logged(tmp_path, text, dkim="accept logwrite = $dkim_verify_status <$dkim_verify_reason>", zone="")
    assert found == [SIGNATURES[1][2], SIGNATURES[1][3]]


def test_what_a_key_says(tmp_path: Path) -> None:
    names = ("testing", "nosubdomains", "granularity", "notes", "length", "srvtype")
    log = "accept logwrite = " + " ".join(f"$dkim_key_{name}" for name in names)
    zone = f"k._domainkey.test.ex TXT {quoted(RECORDS[1][0])}\n"
    assert logged(tmp_path, signed(selector="k"), dkim=log, zone=zone)[0] == "1 1 joe hello there 2048 email"


def test_variables_without_a_signature(tmp_path: Path) -> None:
    numbers = "$dkim_bodylength $dkim_created $dkim_expires $dkim_key_testing $dkim_key_nosubdomains $dkim_key_length"
    log = f"accept logwrite = {numbers} $dkim_key_granularity $dkim_key_srvtype <$dkim_domain$dkim_signers>"
    assert logged(tmp_path, MESSAGE, data=log) == ["9999999999999 0 9999999999999 0 0 0 * * <>"]


def three() -> bytes:
    return signed(signed(signed(domain="Three.ex", selector="s"), "two.ex"), "one.ex", "e")


EACH = "accept logwrite = $dkim_cur_signer:$dkim_domain:$dkim_selector:$dkim_algo:$dkim_verify_status"
AFTER = "accept logwrite = after $dkim_signers:$dkim_verify_status:$dkim_cur_signer:$dkim_domain"
ONE, TWO, THREE = (
    "one.ex:one.ex:e:ed25519-sha256:pass",
    "two.ex:two.ex:r:rsa-sha256:pass",
    "Three.ex:Three.ex:s:rsa-sha256:pass",
)
ALL = "one.ex:two.ex:Three.ex"
SIGNERS = [  # options, what the ACL sees, what the next one sees, the tag in the log
    ("", [ONE, TWO, THREE], f"{ALL}:pass:pass:pass:Three.ex:Three.ex", "DKIM=Three.ex"),
    ("dkim_verify_keytypes = rsa : ed25519", [TWO, THREE, ONE],
     "two.ex:Three.ex:one.ex:pass:pass:pass:one.ex:one.ex", "DKIM=one.ex"),
    ("dkim_verify_keytypes = rsa", [TWO, THREE], "two.ex:Three.ex:pass:pass:Three.ex:Three.ex", "DKIM=Three.ex"),
    ("dkim_verify_minimal = true", [ONE, TWO.replace("pass", "none"), THREE.replace("pass", "none")],
     f"{ALL}:pass:none:none:Three.ex:Three.ex", "DKIM=one.ex"),
    ("dkim_verify_signers = TWO.ex", ["TWO.ex:two.ex:r:rsa-sha256:pass"], f"{ALL}:pass:TWO.ex:two.ex", "DKIM=two.ex"),
    ("dkim_verify_signers = two.ex : x.ex : TWO.EX", [TWO, "x.ex:two.ex:r::none"],
     f"{ALL}:pass:none:x.ex:two.ex", "DKIM=two.ex"),
    ("dkim_verify_signers = ", [], f"{ALL}:::", "DKIM=Three.ex"),
    ("dkim_verify_signers = ${if eq{a}{b}{x}fail}",
     ['main panic: expansion of dkim_verify_signers option failed: "if" failed and "fail" requested'], f"{ALL}:::", ""),
    ("dkim_verify_min_keysizes = rsa=2048 ed25519=250",
     [ONE, TWO, THREE.replace("pass", "fail")], f"{ALL}:pass:pass:fail:Three.ex:Three.ex", "DKIM=two.ex"),
    ("dkim_verify_hashes = sha512", [], ":::", ""),
]  # fmt: skip


@pytest.mark.parametrize(("option", "seen", "after", "tag"), SIGNERS)
def test_signers(tmp_path: Path, option: str, seen: list[str], after: str, tag: str) -> None:
    sizes = "" if "keysizes" in option else "dkim_verify_min_keysizes = rsa=1024 ed25519=250\n"
    found = logged(tmp_path, three(), main=sizes + option, dkim=EACH, data=AFTER)
    assert [line for line in found if not line.startswith("DKIM")] == [*seen, f"after {after}"]
    assert [line for line in found if line.startswith("DKIM=")] == [tag] * bool(tag)
    if "minimal" in option:
        assert "DKIM: d=two.ex s=r c=relaxed/relaxed a=rsa-sha256 b=2048 [not verified]" in found


PATTERNS = [
    ("dkim_signers = two.ex", "two.ex"),
    ("dkim_signers = TWO.EX", "two.ex"),
    ("dkim_signers = *.ex", "one.ex two.ex Three.ex"),
    ("dkim_signers = ^t", "two.ex Three.ex"),
    ("dkim_signers = ! two.ex", "one.ex Three.ex"),
    ("dkim_signers = ", ""),
    ("dkim_signers = t*", ""),
    ("dkim_signers = ${if eq{a}{b}{x}fail}", "one.ex two.ex Three.ex"),
    ("dkim_status = *ss", "one.ex two.ex Three.ex"),
    ("dkim_status = fail : PASS", "one.ex two.ex Three.ex"),
    ("! dkim_status = pass", ""),
]


@pytest.mark.parametrize(("condition", "expected"), PATTERNS)
def test_conditions(tmp_path: Path, condition: str, expected: str) -> None:
    main = "dkim_verify_min_keysizes = rsa=1024 ed25519=250"
    found = logged(tmp_path, three(), main=main, dkim=f"warn {condition}\n logwrite = match $dkim_cur_signer")
    assert [line.removeprefix("match ") for line in found if line.startswith("match ")] == expected.split()


CHANGES = [
    ("set dkim_verify_status = fail\n set dkim_verify_reason = hash too weak", "[fail - hash too weak]",
     "dkim=policy (fail - hash too weak)"),
    ("set dkim_verify_status = odd", "[odd - ]", "dkim=policy (odd - )"),
    ("set dkim_verify_reason = why", "[pass - why]", "dkim=policy (pass - why)"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "line", "results"), CHANGES)
def test_the_acl_changes_a_result(tmp_path: Path, change: str, line: str, results: str) -> None:
    found = logged(tmp_path, signed(), dkim=f"warn {change}", data="accept logwrite = ${authresults {mail.test}}")
    assert found[0] == f"{GOOD} {line}"
    assert found[1].startswith(f"Authentication-Results: mail.test;\\n\t{results} header.d=")


VERDICTS = [
    ("deny message = no $dkim_cur_signer", "550 no test.ex",
     "main reject: H=(client.test) [192.0.2.7] rejected DKIM : no test.ex"),
    ("deny", "550 Administrative prohibition", "main reject: H=(client.test) [192.0.2.7] rejected DKIM "),
    ("defer log_message = x", "451 Temporary local problem - please try later",
     "main reject: H=(client.test) [192.0.2.7] temporarily rejected DKIM : x"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "reply", "line"), VERDICTS)
def test_the_acl_refuses(tmp_path: Path, statement: str, reply: str, line: str) -> None:
    server = Server(tmp_path, CONFIGURATION % ("", statement, ""), zone=ZONE)
    said = server.talk(HELO, *pieces(signed()), b"QUIT\r\n")
    assert f"\r\n{reply}\r\n" in said
    assert server.logs.lines[-1] == line


def test_headers_of_the_acl_are_there_for_the_next(tmp_path: Path) -> None:
    text = CONFIGURATION % ("", "accept add_header = X-Signer: $dkim_cur_signer", "accept logwrite = <$h_x-signer:>")
    server = Server(tmp_path, text, zone=ZONE)
    server.talk(HELO, *pieces(signed()), b"QUIT\r\n")
    assert "main: <test.ex>" in server.logs.lines
    assert headers_of(server.queue.messages[0][0]).count("X-Signer: test.ex\n") == 1


def test_the_acl_has_seen_enough(tmp_path: Path) -> None:
    statement = "accept control = dkim_disable_verify\n logwrite = $dkim_cur_signer"
    found = logged(tmp_path, three(), dkim=statement)
    assert [line for line in found if not line.startswith("DKIM")] == ["one.ex"]


UNCLEAR = [b"Subject: x y\r\nhack\r\n", b"Subject: x y\r\n\rhack\r\n"]


@pytest.mark.parametrize("end", UNCLEAR)
def test_no_blank_line_no_signatures(tmp_path: Path, end: bytes) -> None:
    text = signed().replace(b"Subject: x y\r\n", end)
    found = logged(tmp_path, text, data="accept logwrite = ${authresults {mail.test}} <$dkim_signers>")
    assert found == ["Authentication-Results: mail.test <>"]
