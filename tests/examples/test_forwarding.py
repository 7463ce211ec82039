"""The example of a host that forwards: whose sender is rewritten, and which bounces come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.address.delivery import Address
from eximious.config.load import load
from eximious.context import Context
from eximious.dns.static import StaticResolver
from eximious.mailauth.srs import native
from eximious.routers.engine import route
from eximious.routers.outcome import Outcome, Routed
from eximious.services import Services
from eximious.taint import Tainted

EXAMPLE = Path(__file__).parents[2] / "examples" / "configurations" / "forwarding.conf"
ZONE = "far.example. MX 1 far.example.\nfar.example. A 192.0.2.1\n"
NOW = 20_781 * 86_400.0
SENDER = "Joe.User@far.example"


def place(folder: Path, secrets: str) -> Context:
    (folder / "srs-secrets").write_text(secrets)
    (folder / "domains").write_text("customer.example\n")
    (folder / "forwards").write_text("user@customer.example: somebody@far.example\n")
    path = folder / "exim.conf"
    path.write_text(EXAMPLE.read_text().replace("/etc/exim4", str(folder)))
    config = load(str(path), {})
    services = Services(config)
    services.now = lambda: NOW
    services.__dict__["dns"] = StaticResolver(ZONE)
    return Context(config, services)


def routed(context: Context, recipient: str, sender: str = "") -> Routed:
    context.message.sender = Tainted(sender)
    return route(Address(Tainted(recipient)), context)


def test_what_is_forwarded_has_a_sender_of_ours(tmp_path: Path) -> None:
    context = place(tmp_path, "new: tops3cret\n")
    [child] = routed(context, "user@customer.example", SENDER).generated
    assert child.address == "somebody@far.example"
    [delivery] = route(child, context).deliveries
    assert delivery.transport.name == "forwarding_smtp"
    context.address = delivery
    assert delivery.transport.return_path.expand(context) == native.encode(
        "tops3cret", SENDER, "srs.forward.example", NOW
    )


BOUNCES = [
    ("new: tops3cret\n", "tops3cret", "", True),
    ("new: another\nold: tops3cret\n", "tops3cret", "", True),
    ("new: another\n", "tops3cret", "", False),
    ("new: another\nold: third\n", "tops3cret", "", False),
    ("old: tops3cret\n", "tops3cret", "", False),  # something is wrong here
    ("", "", "", False),
    ("new:\n", "guessed", "", False),
    ("new: tops3cret\n", "tops3cret", "somebody@far.example", False),
]


@pytest.mark.parametrize(("secrets", "secret", "sender", "comes_back"), BOUNCES)
def test_bounces(secrets: str, secret: str, sender: str, comes_back: bool, tmp_path: Path) -> None:
    context = place(tmp_path, secrets)
    recipient = native.encode(secret, SENDER, "srs.forward.example", NOW)
    found = routed(context, recipient, sender)
    if not comes_back:
        assert (found.outcome, found.address.message) == (Outcome.FAILED, "no such address, or an old one")
        return
    [child] = found.generated
    assert child.address == SENDER.lower()
    [delivery] = route(child, context).deliveries
    assert delivery.transport.name == "smtp"  # the bounce has no sender to rewrite
