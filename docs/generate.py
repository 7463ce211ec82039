"""Writes docs/reference from the declarations in the program: options, ACLs, expansions, variables, lookups.

python docs/generate.py           write the pages
python docs/generate.py --check   write nothing; status 1 if a page is not what would be written
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from eximious.config.drivers import CLASSES, DriverClass
from eximious.config.main import MainOptions
from eximious.config.option import Option, Options
from eximious.config.values import default_text, kind_of

FOLDER = Path(__file__).parent / "reference"
NOTE = "<!-- Made by scripts/docs from declarations in the program: change those, not this page. -->"


def pages() -> dict[str, str]:
    """Name and text of each page."""
    made = {
        "main-options.md": page("Main options", main_options()),
        "acls.md": page("Access control lists", acls()),
        "expansions.md": page("String expansions", expansions()),
        "variables.md": page("Variables", variables()),
        "lookups.md": page("Lookups", lookups()),
    }
    for kind, drivers in CLASSES.items():
        made[f"{kind}s.md"] = page(f"{kind.capitalize()}s", driver_options(drivers))
    made["README.md"] = page("Reference", index(made))
    return made


def page(title: str, body: Iterable[str]) -> str:
    """A page of Markdown."""
    return "\n".join([f"# {title}", "", NOTE, "", *body]).rstrip() + "\n"


def index(made: Mapping[str, str]) -> Iterator[str]:
    """The list of the other pages."""
    yield "What the program declares about itself. How things work together is told by Exim's specification."
    yield ""
    for name, text in sorted(made.items()):
        yield f"- [{text.splitlines()[0].removeprefix('# ')}]({name})"


def main_options() -> Iterator[str]:
    """The main options, by subject."""
    for base in MainOptions.__bases__:
        assert issubclass(base, Options)
        yield from section(first_line(base), option_table(base.own_options.values()))


def driver_options(drivers: DriverClass) -> Iterator[str]:
    """Generic options, and those of each driver."""
    yield from section("Generic options", option_table(drivers.base.own_options.values()))
    for name, driver in drivers.registry.load_all().items():
        own = [option for option in driver.options.values() if option.name not in drivers.base.options]
        body = [first_line(driver), ""]
        if getattr(driver, "later", ""):
            body += [f"Not in this version: it needs {driver.later}.", ""]
        body += option_table(own) if own else ["No options of its own."]
        yield from section(f"`{name}`", body)


def section(title: str, body: Iterable[str]) -> Iterator[str]:
    """A part of a page."""
    yield from (f"## {title.rstrip('.')}", "", *body, "")


def option_table(options: Iterable[Option]) -> list[str]:
    """A table of options, by name."""
    rows = [
        (f"`{option.name}`", kind_of(option).what, default(option), meaning(option))
        for option in sorted(options, key=lambda option: option.name)
    ]
    return table(("Option", "Type", "Default", "Meaning"), rows)


def default(option: Option) -> str:
    """The default, for a table."""
    if callable(option.default):
        return "depends on the machine"
    text = default_text(option)
    if text is None:
        return "unset"
    return code(text) if text else "empty"


def meaning(option: Option) -> str:
    """The sentence about an option, with what else there is to know."""
    words = [option.doc]
    if option.aliases:
        words.append("Also called " + ", ".join(map(code, option.aliases)) + ".")
    if option.repeat:
        words.append("May be set several times.")
    if option.later:
        words.append(f"*Needs {option.later}, which this version does not have.*")
    return " ".join(words)


def acls() -> Iterator[str]:
    """Conditions, modifiers and controls."""
    from eximious.acl import declare

    for title, registry in (
        ("Conditions", declare.conditions),
        ("Modifiers", declare.modifiers),
        ("Controls", declare.controls),
    ):
        rows = []
        for name, declared in registry.load_all().items():
            later = getattr(declared, "later", "")
            text = f"*Needs {later}, which this version does not have.*" if later else about(declared.function)
            rows.append((f"`{name}`", text))
        yield from section(title, table(("Name", "Meaning"), rows))


def expansions() -> Iterator[str]:
    """Items, operators and conditions."""
    from eximious.expand.condition import conditions
    from eximious.expand.item import items
    from eximious.expand.operator import operators

    parts: tuple[tuple[str, Any, Callable[[Any], str]], ...] = (
        ("Items", items, lambda found: one_line(found.doc)),
        ("Operators", operators, lambda found: about(found.function)),
        ("Conditions", conditions, lambda found: one_line(found.doc)),
    )
    for title, registry, describe in parts:
        rows = [(code(name), describe(found)) for name, found in registry.load_all().items()]
        yield from section(title, table(("Name", "Meaning"), rows))


def variables() -> Iterator[str]:
    """All variables."""
    from eximious.expand.variable import variables as registry

    rows = [(f"`${name}`", about(node.read)) for name, node in registry.load_all().items() if hasattr(node, "read")]
    yield from table(("Variable", "Meaning"), rows)


def lookups() -> Iterator[str]:
    """All lookup types."""
    from eximious.lookups.base import lookups as registry

    rows = []
    for name, found in registry.load_all().items():
        options = ", ".join(f"`{option}`" for option in found.options)
        rows.append((f"`{name}`", "key" if found.is_single_key else "query", options, first_line(type(found))))
    yield "All take `cache`, those with a key `ret=key`. There is a [guide](../lookups.md)."
    yield ""
    yield from table(("Type", "With a", "Options", "Meaning"), rows)


def table(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """A table of Markdown."""
    lines = ["| " + " | ".join(titles) + " |", "|" + " --- |" * len(titles)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return lines


def code(text: str) -> str:
    """Text as it is written in a configuration."""
    shown = text.replace("\n", "\\n").replace("\t", "\\t")
    return f"`` {shown} ``" if "`" in shown else f"`{shown}`"


def about(thing: Any) -> str:
    """The documentation of something, on one line."""
    return one_line(inspect.getdoc(thing) or "")


def one_line(text: str) -> str:
    """Text on one line."""
    return " ".join(text.split())


def first_line(found: type[Options] | type) -> str:
    """The first line of a class's documentation."""
    return (inspect.getdoc(found) or found.__name__).splitlines()[0]


def main() -> int:
    """Write or check; gives the exit status."""
    made = pages()
    is_check = "--check" in sys.argv[1:]
    present = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.md")} if FOLDER.is_dir() else {}
    old = sorted(name for name in made.keys() | present.keys() if made.get(name) != present.get(name))
    if is_check:
        for name in old:
            print(f"docs/reference/{name} is out of date: run scripts/docs")
        return 1 if old else 0
    FOLDER.mkdir(exist_ok=True)
    for name in old:
        path = FOLDER / name
        if name in made:
            path.write_text(made[name], "utf-8")
        else:
            path.unlink()
    print(f"{len(made)} pages, {len(old)} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
