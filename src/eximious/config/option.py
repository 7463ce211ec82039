"""How options are declared: once, where they are used, as fields of a class.

    class Pipe(Transport):
        command: Template = option(None, doc="...")
        timeout: Seconds = option("1h", doc="Kill the command after this long; 0 waits for ever.")

The annotation names the type of the value (`eximious.config.values` knows how each is read and printed), the default is
written as a postmaster would write it, and the sentence becomes the manual. An instance knows what the configuration
set in its `given`; a value is converted, and stays in the instance, when it is first used.
Reading a class's annotations costs nothing at start: they stay strings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration
    from eximious.errors import Place


class Given:
    """One setting as it stands in the configuration, quotes and escapes gone."""

    __slots__ = ("is_hidden", "name", "place", "text")

    def __init__(self, text: str, place: Place | None, is_hidden: bool = False) -> None:
        self.text = text
        self.name = ""  # the name by which it was set, perhaps an old one
        self.place = place
        self.is_hidden = is_hidden  # not shown by -bP to those who are no administrators


class Option:
    """The declaration of one option."""

    __slots__ = (
        "aliases",
        "default",
        "doc",
        "kind",
        "later",
        "list_of",
        "name",
        "no_effect",
        "owner",
        "repeat",
        "sets",
    )

    def __init__(
        self,
        default: object,
        doc: str,
        aliases: tuple[str, ...],
        later: str,
        name: str,
        repeat: str = "",
        sets: tuple[str, ...] = (),
        no_effect: str = "",
    ) -> None:
        # As the postmaster would write it; or a plain bool or number; None for unset; or a function that gives one.
        self.default = default
        self.doc = doc
        self.aliases = aliases  # older names
        self.later = later  # the feature that is still missing, without which only the default may be set
        self.no_effect = no_effect  # why setting it changes nothing here; "" for options that do something
        self.name = name  # as in the configuration; differs from the field's name for Python keywords
        self.repeat = repeat  # what joins several settings: a separator, or "bool_lax" (all must hold); "" allows one
        self.sets = sets  # the options that this one, which has no value of its own, sets
        self.kind = ""  # the annotation, a key of `eximious.config.values.KINDS`
        self.owner: type | None = None

    def __get__(self, instance: Options | None, owner: type) -> Any:
        """The value set for the instance, or the default; an instance keeps it, so that this runs once."""
        from eximious.config.values import convert_default, kind_of

        given = instance.given.get(self.name) if instance is not None else None
        if given is None:
            value = convert_default(self)
        else:
            value = kind_of(self).convert(given.text, given.place, self.name)
        if instance is not None:
            instance.__dict__[self.field] = value
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
    no_effect: str = "",
) -> Any:
    """Declare an option; see the module's description.

    `later` names a feature that this version does not have yet: then setting the option to anything but its default
    or an "off" value is a configuration error that names the feature. `no_effect` says why there is nothing to set in
    this program: setting it is only worth a warning. `repeat`: the option may be set several times, and the settings
    are joined with this separator ("bool_lax": as conditions that must all hold). `sets`: an option that is only
    another way to set these.
    """
    return Option(default, doc, aliases, later, name, repeat, sets, no_effect)


class Options:
    """Base of everything with options: main configuration, routers, transports, authenticators."""

    options: ClassVar[dict[str, Option]] = {}  # by name in the configuration, without aliases, in order of declaration
    by_any_name: ClassVar[dict[str, Option]] = {}  # aliases too
    own_options: ClassVar[dict[str, Option]] = {}  # declared in this very class

    # What the reader leaves on each instance.
    name: str = ""  # of the driver instance; "" for the main configuration
    place: Place | None = None  # where the instance's definition begins
    given: dict[str, Given]  # what the configuration set, by the option's present name

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)
        self.given = {name: Given(str(value), None) for name, value in values.items()}

    def check(self, config: Configuration) -> None:
        """Called once, when everything has been read: raises ConfigError for options that cannot go together."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        options: dict[str, Option] = {}
        for base in reversed(cls.__mro__[1:]):
            options.update(vars(base).get("own_options", {}))
        own: dict[str, Option] = {}
        for field, annotation in vars(cls).get("__annotations__", {}).items():
            declared = vars(cls).get(field)
            if isinstance(declared, Option):
                declared.name = declared.name or field.rstrip("_")
                declared.kind = annotation
                declared.owner = cls
                own[declared.name] = declared
        cls.own_options = own
        cls.options = options | own
        cls.by_any_name = {name: o for o in cls.options.values() for name in (o.name, *o.aliases)}

    def is_set(self, name: str) -> bool:
        """True if the configuration set this option, even if to its default."""
        return name in self.given
