"""How options are declared: once, where they are used, as fields of a class.

    class Pipe(Transport):
        command: Template = option(None, doc="...")
        timeout: Seconds = option("1h", doc="Kill the command after this long; 0 waits for ever.")

The annotation names the type of the value (`eximious.config.values` knows how each is read and printed), the default is
written as a postmaster would write it, and the sentence becomes the manual. An instance holds only what was set: an
option that was not set is read from its class, where the default is converted at its first use.
Reading a class's annotations costs nothing at start: they stay strings.
"""

from __future__ import annotations

from typing import Any, ClassVar, dataclass_transform


class Option:
    """The declaration of one option."""

    __slots__ = ("aliases", "default", "doc", "kind", "later", "list_of", "name", "owner", "repeat", "sets")

    def __init__(
        self,
        default: object,
        doc: str,
        aliases: tuple[str, ...],
        later: str,
        name: str,
        repeat: str = "",
        sets: tuple[str, ...] = (),
    ) -> None:
        self.default = default  # as the postmaster would write it: text, or a plain bool/int, or None for unset
        self.doc = doc
        self.aliases = aliases  # older names
        self.later = later  # the feature that is still missing, without which only the default may be set
        self.name = name  # as in the configuration; differs from the field's name for Python keywords
        self.repeat = repeat  # what joins several settings: a separator, or "bool_lax" (all must hold); "" allows one
        self.sets = sets  # the options that this one, which has no value of its own, sets
        self.kind = ""  # the annotation, a key of `eximious.config.values.KINDS`
        self.owner: type | None = None

    def __get__(self, instance: object, owner: type) -> Any:
        """The default, converted; stored on the class so that this runs once."""
        from eximious.config.values import convert_default

        value = convert_default(self)
        assert self.owner is not None
        setattr(self.owner, self.field, value)
        return value

    @property
    def field(self) -> str:
        """The attribute's name."""
        return self.name + "_" if self.name in ("from", "return", "global", "import", "pass", "self") else self.name


def option(
    default: object,
    *,
    doc: str,
    aliases: tuple[str, ...] = (),
    later: str = "",
    name: str = "",
    repeat: str = "",
    sets: tuple[str, ...] = (),
) -> Any:
    """Declare an option; see the module's description.

    `later` names a feature that this version does not have yet: then setting the option to anything but its default
    or an "off" value is a configuration error that names the feature. `repeat`: the option may be set several times, and
    the settings are joined with this separator ("bool_lax": as conditions that must all hold). `sets`: an option that is
    only another way to set these.
    """
    return Option(default, doc, aliases, later, name, repeat, sets)


@dataclass_transform(kw_only_default=True, field_specifiers=(option,))
class Options:
    """Base of everything with options: main configuration, routers, transports, authenticators."""

    options: ClassVar[dict[str, Option]] = {}  # by name in the configuration, without aliases, in order of declaration
    by_any_name: ClassVar[dict[str, Option]] = {}  # aliases too

    # What the reader leaves on each instance (see eximious.config.reader).
    name: str = ""  # of the driver instance; "" for the main configuration

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        options: dict[str, Option] = {}
        for base in reversed(cls.__mro__):
            for field, declared in list(vars(base).get("_declared", {}).items()):
                options[declared.name] = declared
                del field
        own: dict[str, Option] = {}
        for field, annotation in cls.__dict__.get("__annotations__", {}).items():
            declared = cls.__dict__.get(field)
            if isinstance(declared, Option):
                declared.name = declared.name or field.rstrip("_")
                declared.kind = annotation
                declared.owner = cls
                own[field] = declared
                options[declared.name] = declared
        cls._declared = own  # type: ignore[attr-defined]
        cls.options = options
        cls.by_any_name = {name: o for o in options.values() for name in (o.name, *o.aliases)}

    def is_set(self, name: str) -> bool:
        """True if the configuration set this option, even if to its default."""
        return self.options[name].field in self.__dict__
