"""What SPF, DKIM and DMARC cost a message in the server: CPU time with the checks, and without.

    python bench/authentication.py [--messages 1000] [--size 4096] [--profile]

One process, as bench/reception.py, but on an event loop, as in the daemon: a session whose ACLs ask for spf and
dmarc_status takes in messages with one RSA-2048 signature; DNS is answered from memory. What is printed is the least of
five rounds, in which both take turns.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import re
import tempfile
import time
from pathlib import Path

import reception
import uvloop
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from load import message
from servers import EXIM_CONFIGURATION, ROUTERS

from eximious import waiting
from eximious.config.load import load
from eximious.context import Context
from eximious.deliver.how import How
from eximious.deliver.message import deliver
from eximious.dns.static import StaticResolver
from eximious.mailauth import dkim
from eximious.mailauth.dmarc.suffixes import packaged
from eximious.net.stream import Endpoint
from eximious.receive.session import Session
from eximious.services import Services

AIM = 1500  # microseconds a message
CLIENT = "192.0.2.7"
DOMAIN = "load.example"
CHECKS = """
check_rcpt:
  deny spf = fail
  accept
check_data:
  deny dmarc_status = reject
  accept
"""
KEY = dkim.PrivateKey(generate_private_key(65537, 2048))
ZONE = f"""
{DOMAIN} 86400 TXT "v=spf1 include:spf.{DOMAIN} -all"
spf.{DOMAIN} 86400 TXT "v=spf1 ip4:198.51.100.0/24 ip4:192.0.2.0/24 -all"
s._domainkey.{DOMAIN} 86400 TXT "{KEY.record()[:200]}" "{KEY.record()[200:]}"
_dmarc.{DOMAIN} 86400 TXT "v=DMARC1; p=reject; adkim=s; rua=mailto:reports@{DOMAIN}"
"""


class Site:
    """A server in memory, with the checks or without."""

    def __init__(self, folder: Path, size: int, *, has_checks: bool) -> None:
        folder.mkdir()
        values = {"SPOOL": folder / "spool", "LOGS": folder / "log", "PORT": 25, "USER_AND_GROUP": ""}
        text = EXIM_CONFIGURATION.replace("ROUTERS", ROUTERS["discard"])
        for key, value in values.items():
            text = text.replace(key, str(value))
        head, _, tail = text.partition("begin acl")
        acl = CHECKS if has_checks else "check_rcpt:\n  accept\ncheck_data:\n  accept\n"
        tail = f"{acl}\nbegin routers{tail.partition('begin routers')[2]}"
        head += f"acl_smtp_data = check_data\ndmarc_tld_file = {packaged()}\n"
        head += "message_logs = false\nlog_selector = +spf +dmarc\n"
        path = folder / "exim.conf"
        path.write_text(f"exim_user = {os.getuid()}\nexim_group = {os.getgid()}\n{head}\nbegin acl\n{tail}")
        for name in ("spool", "log"):
            (folder / name).mkdir()
        made = self.services = Services(load(str(path), {}))
        made.__dict__["dns"] = StaticResolver(ZONE)
        made.spool.open_journal(None, print)
        made.admin = True
        made.deliveries = self.deliveries = reception.Deliveries()
        self.text = message(size)
        if has_checks:
            signed = dkim.sign(self.text.removesuffix(b".\r\n"), dkim.Signer(DOMAIN, "s", KEY))
            self.text = signed + b".\r\n"

    def receive(self) -> None:
        """One message on a connection of its own, and its delivery."""
        stream = reception.Turns(
            b"EHLO client.example\r\n", f"MAIL FROM:<sender@{DOMAIN}>\r\n".encode(), b"RCPT TO:<user1@bench.test>\r\n",
            b"DATA\r\n", self.text, b"QUIT\r\n",
            peer=Endpoint(CLIENT, 40000), local=Endpoint("192.0.2.1", 25),
        )  # fmt: skip
        context = Context(self.services.config, self.services)
        context.client.host_address, context.client.host_port = CLIENT, 40000
        context.client.interface_address, context.client.interface_port = "192.0.2.1", 25
        Session(stream, context).run()
        if b"250 OK id=" not in stream.sent:
            raise SystemExit(f"the message was not accepted:\n{stream.sent.decode('latin-1')}")
        for message_id in self.deliveries.waiting:
            deliver(message_id, self.services, How())
        self.deliveries.waiting.clear()

    async def work(self, messages: int) -> None:
        """Several messages."""
        for _ in range(messages):
            await waiting.run(self.receive)


async def measure(plain: Site, checked: Site, messages: int) -> tuple[float, float]:
    """The cost of a message without the checks and with them, in microseconds of CPU time."""
    best = {plain: float("inf"), checked: float("inf")}
    for _ in range(5):
        for site in best:
            begin = time.process_time()
            await site.work(messages)
            best[site] = min(best[site], (time.process_time() - begin) / messages * 1e6)
    return best[plain], best[checked]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    os.fdatasync = lambda fd: None  # the disk is not what is measured
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        plain = Site(Path(folder, "plain"), arguments.size, has_checks=False)
        checked = Site(Path(folder, "checked"), arguments.size, has_checks=True)
        uvloop.run(plain.work(20))
        uvloop.run(checked.work(20))
        log = Path(folder, "checked", "log", "mainlog").read_text()
        if not re.search(rf" SPF S=\d+ DKIM={DOMAIN} DMARC\n", log):
            raise SystemExit(f"the checks were not made:\n{log}")
        if arguments.profile:
            profile = cProfile.Profile()
            profile.enable()
            uvloop.run(checked.work(arguments.messages))
            profile.disable()
            pstats.Stats(profile).sort_stats("tottime").print_stats(60)
            return
        without, with_checks = uvloop.run(measure(plain, checked, arguments.messages))
    print(f"without checks {without:6.0f} microseconds of CPU a message")
    print(f"with checks    {with_checks:6.0f}")
    print(f"difference     {with_checks - without:6.0f}, which may be {AIM}")


if __name__ == "__main__":
    main()
