"""Finding the module that implements a named thing, without importing the others.

A driver (router, transport, lookup, authenticator, ...) lives in the module that bears its name and registers itself
there with a decorator; `find` imports that module when a configuration first names the driver.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Registry(Generic[T]):
    """Named things of one kind, in the modules of one package."""

    MOST_ABSENT = 1000  # names of which it is remembered that there is no such thing

    def __init__(self, package: str, kind: str, modules: dict[str, str] | None = None) -> None:
        self.package = package
        self.kind = kind  # for messages: "router", "lookup type", ...
        self._modules = modules or {}  # names that live in a module of another name
        self._found: dict[str, T] = {}
        self._absent: set[str] = set()  # names that have been looked for in vain

    def register(self, *names: str) -> Callable[[T], T]:
        """Decorator: the decorated thing is known by these names from now on."""

        def decorate(thing: T) -> T:
            for name in names:
                self._found[name] = thing
                self._absent.discard(name)
            return thing

        return decorate

    def find(self, name: str) -> T | None:
        """The thing of that name, or None; imports its module if need be."""
        found = self._found.get(name)
        if found is not None or name in self._absent or not name.isidentifier():
            return found
        module = f"{self.package}.{self._modules.get(name, name)}"
        if importlib.util.find_spec(module) is None:
            if len(self._absent) < self.MOST_ABSENT:
                self._absent.add(name)
            return None
        importlib.import_module(module)
        return self._found.get(name)

    def load_all(self) -> dict[str, T]:
        """Everything of this kind, for manuals and suggestions: imports all modules of the package."""
        package = importlib.import_module(self.package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self.package}.{module.name}")
        return dict(sorted(self._found.items()))
