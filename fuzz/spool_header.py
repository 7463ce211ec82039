"""Damaged -H files: each is a message or a SpoolFormatError, and what was read is written and read again the same.

python fuzz/spool_header.py [--seconds 60] [--seed N]
"""

from __future__ import annotations

import mutation

from eximious.spool.errors import SpoolError, SpoolFormatError
from eximious.spool.header_file import dump, load

ID = "1xVz78-00000000006-3KbK"

SEEDS = [
    f"""{ID}-H
Debian-exim 100 101
<a@b.example>
1795559750 0
-received_time_usec .794180
-received_time_complete 1795559750.795379
--helo_name client.example
-host_address [127.0.0.1]:54764
-host_auth plain
-interface_address [127.0.0.1]:38923
-received_protocol esmtpa
-aclc _empty 0

--aclm _multi 24
line1
line2 with -tricky
-body_linecount 3
-max_received_linelength 36
--auth_id user
-deliver_firsttime
-frozen 1795559975
-tls_cipher TLS1.3:X:256
--tls_sni local\\nhost\\\\
-tls_ocsp 1
-tls_resumption B
-dsn_envid QQ+2D31
-dsn_ret 2
-unknown x
YY d@e
YN b@c
NN a@b
NN f@g
3
c@d.example rfc822;orig@d.example 21,20  0,-1#3
e+x@d.example
one@remote.example errs@example 12,0#1

044P Received: from [127.0.0.1]
	id x;
	Tue, 24
018F From: a@b.example
018* From: a@b.example
""".encode(),
    f"{ID}-H\nroot 0 0\n<>\n1 0\n-acl 3 2\nab\n-acl 12 1\nc\n-host_address 192.0.2.1.25\nXX\n0\n\n".encode(),
]


def check(data: bytes) -> bool:
    """A message or an error; and a message stays what it is."""
    try:
        message = load(data, ID)
    except SpoolFormatError:
        return False
    try:
        written = dump(message)
    except SpoolError:
        return False  # an address with a NUL
    again = load(written, ID)
    assert dump(again) == written
    assert [r.address for r in again.recipients] == [r.address for r in message.recipients]
    assert again.nonrecipients == message.nonrecipients
    assert again.is_frozen == message.is_frozen
    return True


if __name__ == "__main__":
    mutation.run(__doc__, SEEDS, check)
