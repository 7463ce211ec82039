"""What users have written is expanded as the user, who learns nothing of other recipients."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eximious.address.delivery import Address
from eximious.context import Context
from eximious.deliver.local import perform_here
from eximious.errors import ExpandError
from eximious.expand.elsewhere import decode, encode
from eximious.spool.body import Body
from eximious.spool.message import Header, Recipient
from eximious.taint import Tainted, is_tainted
from eximious.transports.argv import TaintedArgument, expanded, expanded_by_user
from eximious.transports.expanding import expand_as_user
from eximious.transports.job import Ended, Job, own_identity
from tests.routers.place import Place


class Elsewhere:
    """Does jobs here, but only with what can be sent to another process."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def run(self, job: Job) -> Ended:
        self.jobs.append(job)
        job.arguments = json.loads(json.dumps(job.arguments))
        return perform_here(job)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    place = Place(tmp_path, "r:\n driver = accept\n transport = t1\n", main="hide domainlist secret = s.ex\n")
    place.services.local = Elsewhere()
    made = place.context()
    message = made.message
    message.headers = [Header("Subject: hello\n", " ")]
    message.body = Body.of(b"text\n")
    message.body_size = 5
    message.recipients = [Recipient(Tainted("u@test.ex")), Recipient(Tainted("hidden@test.ex"))]
    made.address = Address("u@test.ex")
    made.address.router = place.config.routers[0]
    return made


TEXTS: list[tuple[str, str]] = [
    ("$h_subject: for $local_part@$domain from $sender_address", "hello for u@test.ex from sender@test.ex"),
    ("${uc:abc}", "ABC"),
    ("$message_body", "text "),
    ("$recipients|$recipients_count", "|2"),
    ("$n3", "7"),
    ("plain", "plain"),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_texts(context: Context, text: str, expected: str) -> None:
    context.address.filter_counters = [0, 0, 0, 7, 0, 0, 0, 0, 0, 0]
    assert expand_as_user([text], context, own_identity(), context.address) == [expected]


def test_a_system_filter_may_know_all_recipients(context: Context) -> None:
    context.address.router = None
    assert expand_as_user(["$recipients"], context, own_identity(), context.address) == ["u@test.ex, hidden@test.ex"]


def test_it_is_done_as_the_user_and_in_one_job(context: Context) -> None:
    identity = own_identity()
    results = expand_as_user(["${lc:A}", "b", "${if"], context, identity, context.address)
    assert results[:2] == ["a", "b"]
    assert isinstance(results[2], ExpandError)
    (job,) = context.services.local.jobs
    assert (job.kind, job.identity) == ("expand", identity)
    assert expand_as_user(["nothing", "to do"], context, identity, context.address) == ["nothing", "to do"]
    assert len(context.services.local.jobs) == 1


def test_what_is_forbidden(context: Context) -> None:
    (result,) = expand_as_user(
        ["${readfile{/etc/passwd}}"], context, own_identity(), context.address, ["forbid_readfile"]
    )
    assert isinstance(result, ExpandError)
    assert "not permitted" in str(result)
    assert "forbid_readfile" not in context.facts


def test_commands_of_filters(context: Context) -> None:
    def expander(texts: list[str]) -> list[str | ExpandError]:
        return expand_as_user(texts, context, own_identity(), context.address)

    other = Address("v@test.ex")
    argv = expanded_by_user('/bin/x "${uc:a b}" $pipe_addresses $0', [context.address, other], "p transport", expander)
    assert argv == ["/bin/x", "A B", "u@test.ex", "v@test.ex", ""]
    with pytest.raises(TaintedArgument, match="Tainted arg 2"):
        expanded_by_user("/bin/x $sender_address $h_subject:", [context.address], "p transport", expander)


def test_the_command_that_an_address_names_is_the_user_s_too(context: Context) -> None:
    asked: list[list[str]] = []

    def expander(texts: list[str]) -> list[str | ExpandError]:
        asked.append(texts)
        return list(texts)

    address = Address("|/bin/y ${run{/bin/z}}")
    address.redirected_file = address.address
    address.expand_again = True
    assert expanded("/bin/x $address_pipe", context, [address], "p transport", expander=expander) == [
        "/bin/x",
        "/bin/y",
        "${run{/bin/z}}",
    ]
    assert asked == [["/bin/y", "${run{/bin/z}}"]]


def test_the_record_holds_no_secrets(context: Context) -> None:
    record = json.dumps(encode(context))
    assert "s.ex" not in record.replace("test.ex", "")
    assert "hidden@" not in record
    there = decode(json.loads(record))
    assert is_tainted(there.message.sender) == is_tainted(context.message.sender)
    assert there.address.local_part == "u"
