"""The checked, immutable configuration that everything else works with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eximious.config.main import MainOptions
    from eximious.errors import ConfigError


class Configuration:
    """One reading of one configuration file. Replaced as a whole on reload, never changed."""

    def __init__(self, main: MainOptions) -> None:
        self.main = main
        self.file = ""  # the file that was asked for
        self.files: list[str] = []  # it and all files that it included
        self.lines: list[str] = []  # all logical lines, for -bP config
        self.macros: dict[str, str] = {}  # as they stood at the end of the file
        self.acls: dict[str, Any] = {}  # name -> eximious.acl.engine.Acl
        self.acl_texts: dict[str, Any] = {}  # ACLs from files and from text, compiled when they were first used
        self.expectations: Any = None  # eximious.acl.ahead.Expectations, once somebody has asked
        self.server_contexts: dict[Any, Any] = {}  # eximious.tls.context.ServerContext, by the settings that made it
        self.routers: list[Any] = []  # eximious.routers.base.Router, in order
        self.transports: dict[str, Any] = {}  # name -> eximious.transports.base.Transport
        self.authenticators: list[Any] = []  # eximious.authenticators.base.Authenticator, in order
        self.retry_rules: list[Any] = []  # eximious.retry.rules.RetryRule, in order
        self.rewrite_rules: list[Any] = []  # eximious.rewrite.rules.RewriteRule, in order
        self.named_lists: dict[str, dict[str, Any]] = {"domain": {}, "host": {}, "address": {}, "localpart": {}}
        self.warnings: list[ConfigError] = []  # strings that will fail if they are ever expanded, old names, ...
