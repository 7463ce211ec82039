"""All options of the main part of a configuration. (Exim specification, "Main configuration".)

They are declared by subject in the ``main_...`` modules beside this one.
"""

from __future__ import annotations

from eximious.config.main_access import AccessOptions
from eximious.config.main_acls import AclOptions
from eximious.config.main_daemon import DaemonOptions
from eximious.config.main_delivery import BounceOptions, QueueOptions, SystemFilterOptions
from eximious.config.main_dns import DnsOptions
from eximious.config.main_features import AuthenticationOptions, DatabaseOptions, ExtraOptions, ScanningOptions
from eximious.config.main_logs import LogOptions
from eximious.config.main_messages import MessageOptions
from eximious.config.main_smtp import SmtpOptions
from eximious.config.main_tls import TlsOptions


class MainOptions(
    AccessOptions,
    AclOptions,
    AuthenticationOptions,
    BounceOptions,
    DaemonOptions,
    DatabaseOptions,
    DnsOptions,
    ExtraOptions,
    LogOptions,
    MessageOptions,
    QueueOptions,
    ScanningOptions,
    SmtpOptions,
    SystemFilterOptions,
    TlsOptions,
):
    """The main options of one configuration."""
