"""Built-in macros tell what there is."""

from __future__ import annotations

import pytest

from eximious.config.built_in import built_in_macro, built_in_macros
from eximious.config.main import MainOptions

MACROS = [
    ("_HAVE_IPV6", True),
    ("_HAVE_LOOKUP_LSEARCH", True),
    ("_HAVE_LOOKUP_NONSENSE", False),
    ("_HAVE_LOOKUP_NIS", False),
    ("_OPT_MAIN_TIMEZONE", True),
    ("_OPT_MAIN_DAEMON_SMTP_PORT", True),
    ("_OPT_MAIN_TIMEZON", False),
    ("_OPT_OPENSSL_NO_TLSV1_3_X", True),
    ("_OPT_OPENSSL_NO_SSLV2_X", False),
    ("_OPT_ROUTERS_DOMAINS", True),
    ("_OPT_ROUTERS_DATA", False),
    ("_OPT_ROUTER_REDIRECT_DATA", True),
    ("_OPT_ROUTER_REDIRECT_DOMAINS", False),
    ("_OPT_TRANSPORTS_USER", True),
    ("_OPT_TRANSPORT_APPENDFILE_FILE", True),
    ("_OPT_TRANSPORT_PIPE_FILE", False),
    ("_OPT_AUTHENTICATORS_SERVER_SET_ID", True),
    ("_OPT_AUTHENTICATOR_PLAINTEXT_SERVER_PROMPTS", True),
    ("_DRIVER_ROUTER_ACCEPT", True),
    ("_DRIVER_TRANSPORT_SMTP", True),
    ("_DRIVER_AUTHENTICATOR_CRAM_MD5", True),
    ("_EXP_VAR_LOCAL_PART", True),
    ("_EXP_ITEM_IF", True),
    ("_EXP_OP_LC", True),
    ("_EXP_COND_EQ", True),
    ("_LOG_ALL_PARENTS", True),
    ("_LOG_ALL", True),
    ("_ACL_COND_HOSTS", True),
    ("_ACL_COND_MALWARE", False),
    ("_ACL_MOD_SET", True),
    ("_ACL_MOD_HOSTS", False),
    ("_NONSENSE", False),
]


@pytest.mark.parametrize(("name", "expected"), MACROS)
def test_macro(name: str, expected: bool) -> None:
    assert built_in_macro(name) == ("y" if expected else None)
    assert (name in built_in_macros()) is expected


def test_what_is_missing_has_none() -> None:
    missing = [option for option in MainOptions.options.values() if option.later and not option.kind.startswith("bool")]
    assert all(built_in_macro(f"_OPT_MAIN_{option.name.upper()}") is None for option in missing)


def test_order() -> None:
    names = list(built_in_macros())
    first = names.index("_OPT_ROUTER_DNSLOOKUP_WIDEN_DOMAINS")
    assert names.index("_DRIVER_ROUTER_ACCEPT") < first < names.index("_DRIVER_ROUTER_DNSLOOKUP")
    assert (
        names.index("_DRIVER_ROUTER_REDIRECT")
        < names.index("_OPT_ROUTERS_VERIFY")
        < names.index("_OPT_ROUTERS_DOMAINS")
    )
