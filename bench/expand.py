"""What the strings and lists of a busy configuration cost: microseconds each, compiled once and evaluated many times.

    python bench/expand.py [--times N]

The last line is what compiling one of them costs, which happens when the configuration is read.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from eximious.address.delivery import Address
from eximious.config.load import load
from eximious.context import Context
from eximious.expand.template import compile
from eximious.lists import address, domain, host, local_part
from eximious.services import Services
from eximious.taint import Tainted

CONFIGURATION = """primary_hostname = mail.example.test
domainlist local_domains = @ : example.org : *.example.net
hostlist relay_from_hosts = 127.0.0.1 : 10.0.0.0/8 : 2001:db8::/32
"""

STRINGS = (
    "constant",
    "$local_part",
    "$local_part@$domain",
    "${lc:$local_part}",
    "${if eq{$sender_host_address}{127.0.0.1}{yes}{no}}",
    "${if and{{!eq{$sender_host_address}{}}{eq{$domain}{example.org}}}{yes}{no}}",
    "${if match{$local_part}{^([a-z]+)\\$}{$1}{no}}",
    "${if >{$acl_m_score}{3}{yes}{no}}",
    "${if def:acl_m_score {x}}",
    "${lookup{user}lsearch{TABLE}{$value}{none}}",
    "${extract{2}{:}{a:b:c}}",
    "${sg{$local_part}{s}{z}}",
    "${map{a:b:c}{$item}}",
    "${if match_domain{$domain}{+local_domains}{y}{n}}",
    "${if inlist{$domain}{a:b:example.org}{y}{n}}",
    "$tod_log",
    "$h_subject:",
)


def measure(name: str, function: Callable[[], object], times: int) -> None:
    function()
    begun = time.perf_counter()
    for _ in range(times):
        function()
    print(f"{(time.perf_counter() - begun) / times * 1e6:8.2f}  {name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=100_000)
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "exim.conf")
        path.write_text(CONFIGURATION)
        table = Path(folder, "table")
        table.write_text("".join(f"user{n}: value\n" for n in range(1000)) + "user: value\n")
        config = load(str(path))
        context = Context(config, Services(config))
        context.client.host_address = "192.0.2.1"
        context.address = Address(Tainted("user@example.org"))
        context.message.sender = Tainted("someone@else.example")
        context.message.acl_variables["m_score"] = "5"
        for text in STRINGS:
            template = compile(text.replace("TABLE", str(table)))
            measure(text, lambda template=template: template.expand(context), times)  # type: ignore[misc]
        local = domain.compile("+local_domains")
        measure("domains = +local_domains", lambda: local.match(context.address.domain, context), times)
        inline = domain.compile("@ : example.net : *.example.org")
        measure("domains = @ : example.net : *.example.org", lambda: inline.match("a.example.org", context), times)
        relays = host.compile("+relay_from_hosts")
        measure("hosts = +relay_from_hosts", lambda: relays.match(context.client, context), times)
        bad = address.compile("*@bad.example : x@y.example : *@*.evil.example")
        measure("senders = *@bad.example : ...", lambda: bad.match(context.message.sender, context), times)
        strange = local_part.compile("^[.] : ^.*[@%!/|]")
        measure("local_parts = ^[.] : ^.*[@%!/|]", lambda: strange.match(context.address.local_part, context), times)
        measure(f"compile {STRINGS[5]}", lambda: compile(STRINGS[5]), max(times // 10, 1))


if __name__ == "__main__":
    main()
