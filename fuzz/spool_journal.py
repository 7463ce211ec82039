"""Damaged journal segments: recovery never fails, never invents a message, and never loses one that is whole.

python fuzz/spool_journal.py [--seconds 60] [--seed N]
"""

from __future__ import annotations

import mutation

from eximious.spool.journal.record import (
    MAGIC,
    START,
    done_record,
    key_checksum,
    message_record,
    partly_done_record,
    unfinished,
)

KEY = b"\x01\x80key\xe5Jx"
SEED = key_checksum(KEY)


def _segment() -> tuple[bytes, dict[str, bytes], dict[str, bytes]]:
    """A segment, and of each message its content and the octets of its record."""
    data, bodies, whole = MAGIC + KEY, {}, {}
    for number in range(8):
        evil = b"".join(message_record(0, "evil", "", b"evil", [b"evil"]))
        name, body = f"message{number}", evil * number
        octets = b"".join(message_record(SEED, name, "queue", b"header" * number, [body]))
        bodies[name], whole[name] = body, octets
        data += octets
        data += partly_done_record(SEED, name, "a@b")
    return data + done_record(SEED, "message0"), bodies, whole


SEGMENT, BODIES, WHOLE = _segment()


def check(data: bytes) -> bool:
    """What is found is what was written; what is whole is found, unless something says that it is done."""
    found = {stored.message_id: stored for stored in unfinished(data)}
    for name, stored in found.items():
        assert stored.body == BODIES[name]
        assert stored.done <= {"a@b"}
    if data.startswith(SEGMENT[:START]):
        for name, octets in WHOLE.items():
            assert name in found or name == "message0" or octets not in data[START:]
    return len(found) > 1


if __name__ == "__main__":
    mutation.run(__doc__, [SEGMENT], check)
