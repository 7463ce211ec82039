"""Options of the DNS that are domain lists."""

from __future__ import annotations

from eximious.dns.answer import Status
from eximious.dns.static import StaticResolver
from eximious.lists.dns_options import attach
from tests.expand.context import make_context

CONFIGURATION = """hosts_treat_as_local = again.test
domainlist mail_here = @mx_any
dns_again_means_nonexist = !+mail_here
"""


def test_a_list_that_asks_the_dns_about_the_domain_comes_to_an_end() -> None:
    context = make_context(CONFIGURATION)
    dns = StaticResolver("again.test AGAIN\nother.test MX 10 mail.test\n")
    context.services.__dict__["dns"] = dns
    attach(dns, context.services)
    assert dns.mx("again.test").status is Status.AGAIN  # the list cannot tell
    assert dns.mx("other.test")
    assert len(dns.asked) < 6
