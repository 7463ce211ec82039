"""Eximious: a mail transfer agent that reads Exim's configuration."""

__version__ = "0.1.0"
EXIM_VERSION = "4.99"  # the Exim whose configuration, formats and messages this version speaks
