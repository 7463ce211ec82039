"""All declarations are complete, whoever owns them."""

from __future__ import annotations

import pytest

from eximious.config.drivers import CLASSES
from eximious.config.main import MainOptions
from eximious.config.option import Option, Options
from eximious.config.values import convert_default, default_text, kind_of


def every_class() -> dict[str, type[Options]]:
    found: dict[str, type[Options]] = {"main": MainOptions}
    for drivers in CLASSES.values():
        for name, driver in drivers.registry.load_all().items():
            found[f"{drivers.kind} {name}"] = driver
    return found


CLASSES_OF_OPTIONS = every_class()


@pytest.mark.parametrize("owner", CLASSES_OF_OPTIONS)
def test_declarations(owner: str) -> None:
    for name, option in CLASSES_OF_OPTIONS[owner].options.items():
        assert option.doc.endswith("."), name
        assert option.name == name
        kind_of(option)
        convert_default(option)
        default_text(option)
        assert all(other in CLASSES_OF_OPTIONS[owner].options for other in option.sets)


@pytest.mark.parametrize("owner", CLASSES_OF_OPTIONS)
def test_names_are_not_used_twice(owner: str) -> None:
    options = CLASSES_OF_OPTIONS[owner]
    assert len(options.by_any_name) == sum(1 + len(option.aliases) for option in options.options.values())


def test_options_that_are_not_set_have_their_defaults() -> None:
    main = MainOptions()
    assert main.smtp_accept_max == 20
    assert main.received_header_text.source.startswith("Received: ")
    assert not main.is_set("smtp_accept_max")
    assert MainOptions.smtp_accept_max == 20


def test_values_can_be_given() -> None:
    main = MainOptions(smtp_accept_max=3)
    assert main.smtp_accept_max == 3
    assert main.is_set("smtp_accept_max")
    assert MainOptions().smtp_accept_max == 20


def test_a_kind_that_does_not_exist() -> None:
    option = Option(None, "A mistake.", (), "", "x")
    option.kind = "Nonsense | None"
    with pytest.raises(TypeError, match="is no kind of option value"):
        kind_of(option)
