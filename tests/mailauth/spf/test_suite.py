"""Every scenario of the published test suite for RFC 7208."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml

from eximious.mailauth.resolver import StaticResolver
from eximious.mailauth.spf import check_mail_from

SUITE = Path(__file__).parent.parent / "vectors" / "spf" / "rfc7208-tests.yml"
# What the suite calls the explanation of a record that has none.
DEFAULT = "DEFAULT"


class Names(StaticResolver):
    """Answers as the suite's authors expect: empty labels fall together, names too long cannot be asked."""

    def __init__(self, zone: dict[str, list[Any]]) -> None:
        super().__init__()
        for name, records in zone.items():
            self._load(name, records)

    def _load(self, name: str, records: list[Any]) -> None:
        types: dict[str, list[Any] | None] = {}
        failing = "TIMEOUT" in records
        # Records of the old type SPF stand for TXT ones too, unless there is a word about TXT.
        has_txt = failing or any(isinstance(record, dict) and "TXT" in record for record in records)
        for record in records:
            if isinstance(record, str):
                continue
            for type, data in record.items():
                if type == "SPF" and has_txt:
                    continue
                wanted = "TXT" if type == "SPF" else type
                if data == "TIMEOUT":
                    types[wanted] = None
                elif data != "NONE" and types.get(wanted, []) is not None:
                    types.setdefault(wanted, []).append(data)  # type: ignore[union-attr]
                elif not failing:
                    types.setdefault(wanted, [])
        if failing:
            for type in ("A", "AAAA", "MX", "PTR", "TXT"):
                types.setdefault(type, None)
        for type, data in types.items():
            self.add(name, type, data)
        if not types:
            self._exists(name.lower())


def scenarios() -> list[Any]:
    with SUITE.open(encoding="utf-8") as file:
        documents = list(yaml.safe_load_all(file))
    return [
        pytest.param(case, document["zonedata"], id=f"{document['description']}: {name}")
        for document in documents
        if document
        for name, case in document["tests"].items()
    ]


@pytest.mark.parametrize(("case", "zone"), scenarios())
def test_scenario(case: dict[str, Any], zone: dict[str, list[Any]]) -> None:
    verdict = asyncio.run(
        check_mail_from(
            case["host"],
            case["mailfrom"],
            case["helo"],
            resolver=Names(zone),
            receiver=case.get("receiver", ""),
            default_explanation=DEFAULT,
        )
    )
    expected = case["result"]
    assert verdict.result.value in ([expected] if isinstance(expected, str) else expected), verdict
    if "explanation" in case:
        assert verdict.explanation == case["explanation"]
