"""The -H file: what Exim writes is read, and written again as it was; nothing can break out of its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eximious.spool.errors import SpoolError, SpoolFormatError
from eximious.spool.header_file import dump, load
from eximious.spool.message import DELETED, Client, Header, Message, Recipient
from eximious.taint import Tainted, is_tainted

ID = "1xVz78-00000000006-3KbK"

# As Exim 4.98 and 4.100 wrote it for a message over SMTP with DSN and AUTH, with ACL variables of all kinds.
BY_SMTP = f"""{ID}-H
Debian-exim 100 101
<a@b.example>
1795559750 0
-received_time_usec .794180
-received_time_complete 1795559750.795379
--helo_name client.example
-host_address [127.0.0.1]:54764
-host_auth plain
-host_auth_pubname PLAIN
-interface_address [127.0.0.1]:38923
-received_protocol esmtpa
-aclc _empty 0

-aclc 0 4
zero
-aclc _hello 2
hi
-aclm _multi 24
line1
line2 with -tricky
--aclm 1 11
a@b.example
-body_linecount 3
-max_received_linelength 36
--auth_id user
--auth_sender auth@s.example
-deliver_firsttime
-tls_resumption A
-dsn_envid QQ+2D31
-dsn_ret 2
XX
3
c@d.example rfc822;orig@d.example 21,20  0,-1#3
e+x@d.example
"q=u\\"x"@d.example  0,2  0,-1#3

074P Received: from [127.0.0.1]
	id {ID};
	Tue, 24 Nov 2026
018F From: a@b.example
018  Folded: a
 b
   c
"""

# As Exim 4.100 wrote it for a message over TLS with SMTPUTF8, in wire format.
BY_TLS = f"""{ID}-H
Debian-exim 100 101
<a@b.example>
1795559914 0
-received_time_usec .157638
-received_time_complete 1795559914.160898
--helo_name client.example
-host_address [2001:db8::1]:36584
-interface_address [127.0.0.1]:39297
-active_hostname other.example
-received_protocol utf8esmtps
-body_linecount 0
-max_received_linelength 10
-allow_unqualified_recipient
-allow_unqualified_sender
-deliver_firsttime
-host_lookup_failed
-tls_certificate_verified
-tls_cipher TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256:X25519
--tls_sni localhost
-tls_ourcert -----BEGIN CERTIFICATE-----\\nMIID/DCC\\n-----END CERTIFICATE-----\\n
-tls_ocsp 1
-tls_resumption B
-tls_ver TLS1.3
-smtputf8
-utf8_downcvt
XX
1
c@d.example

011  Subject: x
"""

# As Exim 4.100 wrote it after a deferral: frozen, with addresses that a one_time router added.
DEFERRED = f"""{ID}-H
root 0 0
<>
1795559975 2
-received_time_usec .209784
-received_time_complete 1795559975.210315
-ident root
-received_protocol local
-body_linecount 1
-max_received_linelength 33
-body_zerocount 1
-frozen 1795559975
-N
-local
-localerror
-manual_thaw
-sender_set_untrusted
-spam_score_int 12
-tls_resumption A
-utf8_optdowncvt
-something_new 1 2 3
YN darcy@austen.example
NN aa@example
4
aa@example
cc@remote.example
one@remote.example  0,0 errs@example 12,0#3
two@remote.example  0,0  0,1#3

011  Subject: t
034T To: aa@example, cc@remote.example
037* X-rewrote-sender: bb@hobbit.example.
"""


# As Exim 4.100 wrote it for a message on standard input with -oMr -oMa -oMs -oMaa -oMai.
WITH_OPTIONS = f"""{ID}-H
root 0 0
<x@y>
1795562531 0
-received_time_usec .937128
-received_time_complete 1795562531.937465
--host_address [1.2.3.4]:0
--host_name h.n.ame
--host_auth auth
-ident root
--received_protocol foo
-body_linecount 1
-max_received_linelength 10
--auth_id ident
-auth_sender root@example
-deliver_firsttime
-N
-tls_resumption A
XX
1
aa@example

011  Subject: t
"""


@pytest.mark.parametrize("text", [BY_SMTP, BY_TLS, DEFERRED, WITH_OPTIONS])
def test_what_exim_writes_comes_back_as_it_was(text: str) -> None:
    assert dump(load(text.encode("latin-1"), ID)).decode("latin-1") == text


def test_by_smtp() -> None:
    message = load(BY_SMTP.encode("latin-1"), ID)
    client = message.client
    assert (message.login, message.originator_uid, message.originator_gid) == ("Debian-exim", 100, 101)
    assert (message.sender, is_tainted(message.sender)) == ("a@b.example", True)
    assert message.received_at == pytest.approx(1795559750.79418, abs=1e-6)
    assert message.received_complete_seconds == pytest.approx(0.001199, abs=1e-6)
    assert (client.helo_name, is_tainted(client.helo_name)) == ("client.example", True)
    assert (client.host_address, client.host_port) == ("127.0.0.1", 54764)
    assert (client.interface_address, client.interface_port) == ("127.0.0.1", 38923)
    assert (client.authenticator_name, client.authenticator_public_name) == ("plain", "PLAIN")
    assert (client.authenticated_id, message.authenticated_sender) == ("user", "auth@s.example")
    assert client.acl_variables == {"c_empty": "", "c0": "zero", "c_hello": "hi"}
    assert message.acl_variables == {"m_multi": "line1\nline2 with -tricky", "m1": "a@b.example"}
    assert (is_tainted(message.acl_variables["m1"]), is_tainted(message.acl_variables["m_multi"])) == (True, False)
    assert (message.dsn_envid, message.dsn_return, message.deliver_first_time) == ("QQ+2D31", 2, True)
    first, second, third = message.recipients
    assert (first.address, first.orcpt, first.dsn_flags) == ("c@d.example", "rfc822;orig@d.example", 1 | 4)
    assert (second.address, second.orcpt, second.dsn_flags) == ("e+x@d.example", "", 0)
    assert (third.address, third.orcpt, third.dsn_flags) == ('"q=u\\"x"@d.example', "", 8)
    assert [(header.kind, header.name) for header in message.headers] == [
        ("P", "Received"),
        ("F", "From"),
        (" ", "Folded"),
    ]
    assert is_tainted(message.headers[0].text)


def test_by_tls() -> None:
    message = load(BY_TLS.encode("latin-1"), ID)
    tls = message.client.tls
    assert tls is not None
    assert message.client.host_address == "2001:db8::1"
    assert (tls.is_verified, tls.sni, tls.version, tls.ocsp, tls.resumption) == (True, "localhost", "TLS1.3", 1, 1)
    assert tls.our_certificate == "-----BEGIN CERTIFICATE-----\nMIID/DCC\n-----END CERTIFICATE-----\n"
    assert (message.smtp_utf8, message.utf8_downconvert, message.client.host_lookup_failed) == (True, 1, True)


def test_deferred() -> None:
    message = load(DEFERRED.encode("latin-1"), ID)
    assert message.nonrecipients == {"aa@example", "darcy@austen.example"}
    assert (message.is_frozen, message.frozen_at, message.warning_count) == (True, 1795559975, 2)
    assert (message.dont_deliver, message.manual_thaw, message.sender_is_local) == (True, True, True)
    assert (message.is_locally_submitted_error, message.sender_set_untrusted) == (True, True)
    assert (message.utf8_downconvert, message.deliver_first_time) == (-1, False)
    assert message.spool_extra == ["-something_new 1 2 3"]
    assert message.facts == {"spam_score_int": "12"}
    assert [(r.errors_to, r.parent_number) for r in message.recipients] == [
        ("", -1),
        ("", -1),
        ("errs@example", 0),
        ("", 1),
    ]
    assert message.headers[2].kind == DELETED


ONE = f"{ID}-H\nroot 0 0\n<>\n1 0\n%sXX\n%s\n\n%s"


def errors_to(message: Message) -> object:
    return message.recipients[0].errors_to, message.recipients[0].parent_number


def acl_variables(message: Message) -> object:
    return message.client.acl_variables, message.acl_variables


OLDER_FORMS = [
    # one_time without DSN, as described in Exim's manual
    (
        "",
        "1\na@b errs@c 6,0#1",
        "",
        lambda m: (m.recipients[0].errors_to, m.recipients[0].parent_number),
        ("errs@c", 0),
    ),
    # DSN alone
    ("", "1\na@b rfc822;x 8,4#2", "", lambda m: (m.recipients[0].orcpt, m.recipients[0].dsn_flags), ("rfc822;x", 1)),
    # what looks like it, and is a local part
    ("", '1\n"a 1,2"@b', "", lambda m: m.recipients[0].address, '"a 1,2"@b'),
    # ports before Exim 4.95
    ("-host_address 192.0.2.1.25\n", "0", "", lambda m: (m.client.host_address, m.client.host_port), ("192.0.2.1", 25)),
    ("-host_address 192.0.2.1\n", "0", "", lambda m: (m.client.host_address, m.client.host_port), ("192.0.2.1", 0)),
    ("-host_address 2001:db8::1.25\n", "0", "", lambda m: m.client.host_address, "2001:db8::1"),
    # ACL variables before Exim 4.61
    (
        "-acl 3 2\nab\n-acl 12 1\nc\n",
        "0",
        "",
        lambda m: (m.client.acl_variables, m.acl_variables),
        ({"c3": "ab"}, {"m2": "c"}),
    ),
    # quoted for a lookup
    ("--(pgsql)aclm _x 1\nc\n", "0", "", lambda m: m.acl_variables, {"m_x": "c"}),
    # a line that would be another one when it is written again
    ("-frozen\0 1\n-new\n", "0", "", lambda m: (m.is_frozen, m.spool_extra), (False, ["-new"])),
    # headers of a thousand characters and more
    ("", "0", f"1009  X: {'y' * 1005}\n", lambda m: len(m.headers[0].text), 1009),
]


@pytest.mark.parametrize(("variables", "recipients", "headers", "get", "expected"), OLDER_FORMS)
def test_other_forms(variables: str, recipients: str, headers: str, get: object, expected: object) -> None:
    message = load((ONE % (variables, recipients, headers)).encode("latin-1"), ID)
    assert callable(get)
    assert get(message) == expected


BROKEN = [
    ("", "first line"),
    ("x\n", "first line"),
    (f"{ID}-H\nroot 0\n", "originator"),
    (f"{ID}-H\nroot a b\n", "originator"),
    (f"{ID}-H\nroot 0 0\na@b\n", "sender"),
    (f"{ID}-H\nroot 0 0\n<a@b>\nx 0\n", "time"),
    (f"{ID}-H\nroot 0 0\n<a@b>\n1 0", "time"),
    (ONE % ("-aclm _x 4\nab\n", "0", ""), "variable acl_m_x"),
    (ONE % ("-aclm _x 99999\nab\n", "0", ""), "variable acl_m_x"),
    (ONE % ("-aclm _x -1\nab\n", "0", ""), "variable acl_m_x"),
    (ONE % ("-frozen x\n", "0", ""), "frozen"),
    (ONE % ("NN a\n", "0", ""), "recipients"),
    (ONE % ("", "2\na", ""), "recipients"),
    (ONE % ("", "-1", ""), "recipients"),
    (ONE % ("", "99999999", ""), "recipients"),
    (ONE % ("", "1\na@b 6,0#1", ""), "recipients"),
    (ONE % ("", "1\na@b 0,-1#3", ""), "recipients"),
    (ONE % ("", "0", "999  X: y\n"), "headers"),
    (ONE % ("", "0", "004  X: y\n"), "headers"),
    (ONE % ("", "0", "X: y\n"), "headers"),
    (f"{ID}-H\nroot 0 0\n<>\n1 0\nQQ x\n", "nonrecipients"),
    (f"{ID}-H\nroot 0 0\n<>\n1 0\nYY x\nNN y\n", "nonrecipients"),
]


@pytest.mark.parametrize(("text", "where"), BROKEN)
def test_broken_files_are_refused(text: str, where: str) -> None:
    with pytest.raises(SpoolFormatError) as caught:
        load(text.encode("latin-1"), ID)
    assert caught.value.where.startswith(where)


def plain() -> Message:
    message = Message()
    message.id = ID
    message.received_at = 1795559750.5
    message.login = "root"
    message.recipients = [Recipient("c@d.example")]
    return message


# CVE-2020-28015 and CVE-2020-28021: whatever a client can set must not begin a line of its own.
EVIL = "x\n-frozen 1\nXX\n1\nevil@example\n\n"


def test_cve_2020_28015() -> None:
    message = plain()
    client: Client = message.client
    message.login = message.received_protocol = message.authenticated_sender = message.dsn_envid = Tainted(EVIL)
    client.helo_name = client.host_name = client.ident = client.active_host_name = Tainted(EVIL)
    client.authenticator_name = client.authenticated_id = client.host_address = client.interface_address = Tainted(EVIL)
    message.acl_variables = {"m_x": Tainted(EVIL), "m_y\n-frozen 1": "y"}
    message.spool_extra = [EVIL]
    message.facts["spam_bar"] = Tainted(EVIL)
    message.headers = [Header(f"X: {EVIL}")]
    found = load(dump(message), ID)
    assert not found.is_frozen
    assert [recipient.address for recipient in found.recipients] == ["c@d.example"]
    assert found.acl_variables["m_x"] == EVIL
    assert found.headers[0].text == f"X: {EVIL}"
    assert found.client.helo_name == EVIL.replace("\n", " ")


@pytest.mark.parametrize("character", ["\n", "\0"])
def test_cve_2020_28021(character: str) -> None:
    def fails(change: object) -> None:
        message = plain()
        assert callable(change)
        change(message)
        with pytest.raises(SpoolError, match="newline or NUL"):
            dump(message)

    evil = f"a{character}b@c"
    fails(lambda m: setattr(m, "sender", evil))
    fails(lambda m: setattr(m.recipients[0], "address", evil))
    fails(lambda m: setattr(m.recipients[0], "orcpt", evil))
    fails(lambda m: setattr(m.recipients[0], "errors_to", evil))
    fails(lambda m: m.nonrecipients.add(evil))


def test_cve_2020_28026_lines_of_any_length() -> None:
    message = plain()
    message.sender = Tainted("s" * 300_000)
    message.client.helo_name = Tainted("h" * 300_000)
    message.recipients = [Recipient(Tainted("r" * 300_000)) for _ in range(3)]
    message.nonrecipients = {"n" * 300_000}
    found = load(dump(message), ID)
    assert found.sender == message.sender
    assert found.client.helo_name == message.client.helo_name
    assert [recipient.address for recipient in found.recipients] == ["r" * 300_000] * 3
    assert found.nonrecipients == message.nonrecipients


def test_cve_2019_15846_backslash_at_the_end() -> None:
    from eximious.tls_session import TlsSession

    message = plain()
    message.client.tls = TlsSession()
    message.client.tls.sni = Tainted("sni\\")
    message.client.tls.peer_dn = Tainted("/CN=\\\n\x01\xff")
    found = load(dump(message), ID)
    assert found.client.tls is not None
    assert found.client.tls.sni == "sni\\"
    assert found.client.tls.peer_dn == "/CN=\\\n\x01\xff"


@given(st.binary(max_size=400))
def test_any_octets_are_a_message_or_an_error(data: bytes) -> None:
    try:
        load(f"{ID}-H\n".encode() + data, ID)
    except SpoolFormatError:
        return


@given(st.integers(0, len(BY_SMTP)), st.integers(0, 50), st.binary(max_size=20))
def test_damaged_files_are_a_message_or_an_error(start: int, length: int, data: bytes) -> None:
    text = BY_SMTP.encode("latin-1")
    try:
        load(text[:start] + data + text[start + length :], ID)
    except SpoolFormatError:
        return


@pytest.mark.parametrize("address", ["a@b 0,0#1", "a@b 3,1#3", "#1", "a#b@c"])
def test_addresses_that_look_like_the_longer_form(address: str) -> None:
    message = plain()
    message.recipients = [Recipient(address)]
    assert load(dump(message), ID).recipients[0].address == address


octets = st.text(st.characters(max_codepoint=255))
line = st.text(st.characters(max_codepoint=255, exclude_characters="\n\0"))


@given(
    recipients=st.lists(st.tuples(line, line, line, st.integers(0, 15), st.integers(-1, 9)), max_size=5),
    nonrecipients=st.sets(line, max_size=30),
    variables=st.dictionaries(st.from_regex(r"\A_[a-z]{1,5}\Z"), octets, max_size=5),
    headers=st.lists(octets, max_size=5),
    helo=line,
)
def test_round_trip(
    recipients: list[tuple[str, str, str, int, int]],
    nonrecipients: set[str],
    variables: dict[str, str],
    headers: list[str],
    helo: str,
) -> None:
    message = plain()
    message.recipients = []
    for address, orcpt, errors_to, flags, parent in recipients:
        recipient = Recipient(address)
        recipient.orcpt, recipient.errors_to = orcpt, errors_to
        recipient.dsn_flags, recipient.parent_number = flags, parent
        message.recipients.append(recipient)
    message.nonrecipients = nonrecipients
    message.acl_variables = {f"m{name}": value for name, value in variables.items()}
    message.headers = [Header(f"X: {text}\n") for text in headers]
    message.client.helo_name = Tainted(helo)
    data = dump(message)
    found = load(data, ID)
    assert dump(found) == data
    assert found.nonrecipients == nonrecipients
    assert [(r.address, r.orcpt, r.errors_to, r.dsn_flags, r.parent_number) for r in found.recipients] == recipients
    assert found.acl_variables == message.acl_variables
    assert [header.text for header in found.headers] == [header.text for header in message.headers]
    assert found.client.helo_name == helo
