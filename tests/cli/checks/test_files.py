"""Files that a configuration names: missing, unreadable, certificates without their keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from eximious.cli.checks import files
from eximious.cli.checks.everything import check


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a certificate, its key, another key, a file of names and a folder."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.example")])
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(keys[0].public_key())
    built = built.serial_number(1).not_valid_before(begin).not_valid_after(begin + timedelta(days=10_000))
    (tmp_path / "cert").write_bytes(built.sign(keys[0], hashes.SHA256()).public_bytes(Encoding.PEM))
    for file, key in (("key", keys[0]), ("other", keys[1])):
        (tmp_path / file).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "both").write_bytes((tmp_path / "cert").read_bytes() + (tmp_path / "key").read_bytes())
    (tmp_path / "names").write_text("a: b\n")
    (tmp_path / "dir").mkdir()
    for path in tmp_path.iterdir():
        path.chmod(0o755)
    return tmp_path


ACL = "acl_smtp_rcpt = a\nbegin acl\na:\n  deny {}\n"
ROUTER = "begin routers\nr:\n  driver = redirect\n  {}\n"

# A configuration, in which FOLDER stands for the folder; what is said; what the caret is under.
FILES = [
    ("smtp_banner = ${lookup{a}lsearch{FOLDER/names}}", []),
    ("smtp_banner = ${lookup{a}lsearch{FOLDER/nix}}", [("there is no file FOLDER/nix", "FOLDER/nix}")]),
    ("smtp_banner = ${lookup{a}lsearch{FOLDER/dir}}", [("FOLDER/dir is a directory", "FOLDER/dir}")]),
    ("smtp_banner = ${lookup{a}dsearch{FOLDER/dir}}", []),
    ("smtp_banner = ${lookup{a}dsearch{FOLDER/nix}}", [("there is no directory FOLDER/nix", "FOLDER/nix}")]),
    ("smtp_banner = ${lookup{a}dsearch{FOLDER/names}}", [("FOLDER/names is no directory", "FOLDER/names}")]),
    ("smtp_banner = ${lookup{a}lsearch{FOLDER/$primary_hostname}}", []),
    ("hold_domains = FOLDER/nix", [("there is no file FOLDER/nix", "FOLDER/nix")]),
    ("hold_domains = a : ! lsearch;FOLDER/nix", [("there is no file FOLDER/nix", "FOLDER/nix")]),
    ("host_lookup = net-iplsearch;FOLDER/nix", [("there is no file FOLDER/nix", "FOLDER/nix")]),
    ("hold_domains = ^.*FOLDER/nix : lsearch;FOLDER/names", []),
    ("domainlist d = lsearch;FOLDER/nix\nhold_domains = +d", [("there is no file FOLDER/nix", "FOLDER/nix")]),
    (ACL.format("senders = lsearch;FOLDER/nix"), [("there is no file FOLDER/nix", "FOLDER/nix")]),
    ("system_filter = FOLDER/nix", [("there is no file FOLDER/nix", "FOLDER/nix")]),
    # What is looked for first may be missing.
    ("smtp_banner = ${if exists{FOLDER/nix}{${lookup{a}lsearch{FOLDER/nix}}}}", []),
    (ROUTER.format("domains = ${if exists {FOLDER/nix}{x}fail}\n  data = ${lookup{a}lsearch{FOLDER/nix}}"), []),
    (ROUTER.format("require_files = FOLDER/nix\n  data = ${lookup{a}lsearch{FOLDER/nix}}"), []),
    (ROUTER.format("file = FOLDER/nix"), []),
    (
        ROUTER.format("data = x\n  require_files = root:/etc/passwd:! no-such-user"),
        [('there is no user "no-such-user", as whom require_files would look', "no-such-user")],
    ),
    (ROUTER.format("data = x\n  require_files = $local_part:+/etc/passwd:mail,mail:!+/x"), []),
    # Each file once.
    (
        "hold_domains = FOLDER/nix : FOLDER/nix\nhost_lookup = FOLDER/nix",
        [("there is no file FOLDER/nix", "FOLDER/nix")],
    ),
    # Certificates.
    ("tls_certificate = FOLDER/both", []),
    ("tls_certificate = FOLDER/cert\ntls_privatekey = FOLDER/key", []),
    ("tls_certificate = FOLDER/cert:FOLDER/both\ntls_privatekey = FOLDER/key:FOLDER/both", []),
    (
        "tls_certificate = FOLDER/cert\ntls_privatekey = FOLDER/other",
        [("the key in FOLDER/other is not that of the certificate in FOLDER/cert", "FOLDER/other")],
    ),
    (
        "tls_certificate = FOLDER/cert",
        [("FOLDER/cert has no private key in PEM form, or one with a passphrase", "FOLDER/cert")],
    ),
    ("tls_certificate = FOLDER/names", [("FOLDER/names has no certificate in PEM form", "FOLDER/names")]),
    ("tls_certificate = FOLDER/nix", [("there is no file FOLDER/nix", "FOLDER/nix")]),
]


@pytest.mark.parametrize(("text", "expected"), FILES)
def test_files(text: str, expected: list[tuple[str, str]], folder: Path) -> None:
    path = folder / "exim.conf"
    path.write_text(text.replace("FOLDER", str(folder)) + "\n")
    warnings = check(str(path), {}).warnings
    assert [warning.message.replace(str(folder), "FOLDER") for warning in warnings] == [said for said, _ in expected]
    for warning, (_, under) in zip(warnings, expected, strict=True):
        assert warning.place is not None
        assert warning.place.text[warning.place.column - 1 :].startswith(under.replace("FOLDER", str(folder)))
    assert check(str(path), {}, with_files=False).warnings == []


def test_who_may_read_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_readable", lambda status, uid, gid: False)
    path = folder / "exim.conf"
    path.write_text(f"hold_domains = {folder}/names\n")
    (warning,) = check(str(path), {}).warnings
    assert warning.message.startswith("the server, which runs as user ")
    assert warning.message.endswith(f", cannot read {folder}/names")


# Mode, owner, group -> may user 8 of the groups 8 and 9 read it?
READERS = [
    (0o604, 0, 0, True),
    (0o640, 0, 0, False),
    (0o400, 8, 0, True),
    (0o040, 8, 8, False),
    (0o040, 0, 8, True),
    (0o040, 0, 9, True),
    (0o040, 0, 7, False),
]


@pytest.mark.parametrize(("mode", "uid", "gid", "expected"), READERS)
def test_permissions(mode: int, uid: int, gid: int, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_groups", lambda uid, gid: {8, 9})
    status = type("Status", (), {"st_mode": mode, "st_uid": uid, "st_gid": gid})()
    assert files._readable(status, 8, 8) is expected
    assert files._readable(status, 0, 0) is True
