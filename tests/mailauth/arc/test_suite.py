"""The cases of the published ARC suite that are here. Its messages have LF line ends."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml

from eximious.mailauth import taglist
from eximious.mailauth.arc import Sealer, seal, validate
from eximious.mailauth.dkim import PrivateKey
from eximious.mailauth.message import split
from eximious.mailauth.resolver import StaticResolver

VECTORS = Path(__file__).parent.parent / "vectors" / "arc"


def cases(name: str) -> list[Any]:
    with (VECTORS / name).open(encoding="utf-8") as file:
        documents = [document for document in yaml.safe_load_all(file) if document]
    return [
        pytest.param(case, document, id=f"{document['description']}: {key}")
        for document in documents
        for key, case in document["tests"].items()
    ]


def resolver(document: dict[str, Any]) -> StaticResolver:
    records = document.get("txt-records") or {}
    return StaticResolver({name: {"TXT": [text]} for name, text in records.items()})


@pytest.mark.parametrize(("case", "document"), cases("validation.yml"))
def test_validation(case: dict[str, Any], document: dict[str, Any]) -> None:
    chain = asyncio.run(validate(case["message"].encode(), resolver(document), now=12345))
    # The draft had no result for a chain that says itself that it fails; RFC 8617 section 5.2 has.
    expected = str(case["cv"]).lower() or "fail"
    assert chain.result.value == expected, chain


def tags(text: str) -> dict[str, str]:
    return {name: "".join(value.split()) for name, value in taglist.parse(text).items()}


@pytest.mark.parametrize(("case", "document"), cases("sign.yml"))
def test_sealing(case: dict[str, Any], document: dict[str, Any]) -> None:
    sealer = Sealer(
        document["domain"],
        document["sel"],
        PrivateKey.load(document["privatekey"]),
        authserv_id=case["srv-id"],
        headers=case["sig-headers"].split(":"),
        is_alphabetical=True,
    )
    sealed = seal(case["message"].encode(), sealer, now=int(case["t"]))
    headers, _ = split(sealed)
    if not case["AS"]:
        assert not headers.all(b"arc-seal")
        return
    for name, key in ((b"arc-seal", "AS"), (b"arc-message-signature", "AMS")):
        assert tags(headers.all(name)[0].text) == tags(case[key])
    assert headers.all(b"arc-authentication-results")[0].text.split() == case["AAR"].split()
