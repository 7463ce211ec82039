from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from eximious.tls import dh

# The first 64 bits after the leading ones, and the last that differ: RFC 2409, 3526, 7919.
PRIMES = [
    ("ike1", 768, 0xC90FDAA22168C234),
    ("ike2", 1024, 0xC90FDAA22168C234),
    ("ike5", 1536, 0xC90FDAA22168C234),
    ("ike14", 2048, 0xC90FDAA22168C234),
    ("ike18", 8192, 0xC90FDAA22168C234),
    ("ffdhe2048", 2048, 0xADF85458A2BB4A9A),
    ("ffdhe8192", 8192, 0xADF85458A2BB4A9A),
    ("FFDHE4096", 4096, 0xADF85458A2BB4A9A),
    ("default", 2048, 0xADF85458A2BB4A9A),
]


@pytest.mark.parametrize(("name", "bits", "start"), PRIMES)
def test_primes(name: str, bits: int, start: int) -> None:
    prime = dh.prime(name)
    assert prime is not None
    assert prime.bit_length() == bits
    assert prime >> (bits - 64) == 2**64 - 1
    assert (prime >> (bits - 128)) & (2**64 - 1) == start
    assert prime & (2**64 - 1) == 2**64 - 1


def test_they_are_safe_primes() -> None:
    for name in ("ike1", "ike2", "ike14", "ffdhe2048"):
        prime = dh.prime(name)
        assert prime is not None
        for number in (prime, (prime - 1) // 2):
            assert pow(2, number - 1, number) == 1


def test_pem(tmp_path: Path) -> None:
    path = tmp_path / "dh.pem"
    pem = dh.parameters("ffdhe3072")
    assert pem is not None
    path.write_bytes(pem)
    assert dh.bits_in(str(path)) == 3072
    openssl = shutil.which("openssl")
    if openssl is not None:
        told = subprocess.run(
            [openssl, "dhparam", "-in", path, "-text", "-noout"], capture_output=True, check=True, text=True
        ).stdout
        assert "3072 bit" in told


BEGIN = b"-----BEGIN DH PARAMETERS-----\n"


@pytest.mark.parametrize("text", [b"", b"x", BEGIN + b"AAAA\n-----END", BEGIN + b"MA==\n-----END", BEGIN + b"!"])
def test_files_that_are_none(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "dh.pem"
    path.write_bytes(text)
    with pytest.raises(ValueError, match=r"."):
        dh.bits_in(str(path))


def test_no_such_group() -> None:
    assert dh.parameters("ike99") is None
