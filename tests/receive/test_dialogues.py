"""Conversations with clients of all kinds; the reference was asked for its side of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.receive.dialogue import Dialogue, dialogues

CASES = dialogues(Path(__file__).with_name("dialogues"))


@pytest.mark.parametrize("dialogue", CASES, ids=lambda one: one.name)
def test_dialogue(dialogue: Dialogue, tmp_path: Path) -> None:
    dialogue.check(tmp_path)
