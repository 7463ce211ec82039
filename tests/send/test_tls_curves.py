"""Which curves a transport allows for key exchange."""

from __future__ import annotations

from pathlib import Path

import pytest

from eximious.address.delivery import Host
from eximious.context import Context
from eximious.send.tls import client_context
from eximious.tls.errors import TlsError
from tests.deliver.place import Place


@pytest.mark.parametrize(("curves", "complaint"), [("auto", ""), ("X25519 : P-256", ""), ("P-256 : nonsense", "curve")])
def test_tls_eccurve(tmp_path: Path, curves: str, complaint: str) -> None:
    place = Place(tmp_path, routers="", transports=f"t:\n  driver = smtp\n  tls_eccurve = {curves}\n")
    context = Context(place.config, place.services)
    host = Host("far.example", "192.0.2.1")
    if complaint:
        with pytest.raises(TlsError, match=complaint):
            client_context(place.config.transports["t"], host, context)
    else:
        client_context(place.config.transports["t"], host, context)
    place.close()
