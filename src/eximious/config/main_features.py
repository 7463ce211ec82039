"""Main options of features that stand by themselves: scanners, mail authentication, databases, proxies, events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.config.option import Options, option

if TYPE_CHECKING:
    from eximious.config.values import Seconds, StringList
    from eximious.expand.template import Template
    from eximious.lists.domain import DomainList
    from eximious.lists.host import HostList


class ScanningOptions(Options):
    """Content scanners."""

    av_scanner: Template = option("sophie:/var/run/sophie", doc="The virus scanner to ask.", later="content scanning")
    bmi_config_file: str | None = option(
        "/opt/brightmail/etc/brightmail.cfg", doc="Configuration of the Brightmail client.", later="Brightmail"
    )
    dcc_direct_add_header: bool = option(False, doc="Add the X-DCC header without being asked.", later="DCC")
    dccifd_address: Template | None = option(
        "/usr/local/dcc/var/dccifd", doc="Socket of the DCC daemon, or its address and port.", later="DCC"
    )
    dccifd_options: Template | None = option("header", doc="First line of what is sent to the DCC daemon.", later="DCC")
    spamd_address: Template = option("127.0.0.1 783", doc="The SpamAssassin servers to ask.", later="content scanning")


class AuthenticationOptions(Options):
    """DKIM, SPF, DMARC and SRS."""

    dkim_verify_hashes: StringList = option("sha256:sha512", doc="Hashes that signatures may use.")
    dkim_verify_keytypes: StringList = option("ed25519:rsa", doc="Keys that signatures may use.")
    dkim_verify_min_keysizes: str = option("rsa=1024 ed25519=250", doc="The smallest keys that count, in bits.")
    dkim_verify_minimal: bool = option(False, doc="Stop verifying at the first good signature.")
    dkim_verify_signers: Template | None = option("$dkim_signers", doc="Signers for which acl_smtp_dkim runs.")
    dmarc_aggregate_reports: bool = option(
        False, doc="Gather what is found about each domain, and send it a report a day if its record asks for that."
    )
    dmarc_failure_reports_max: int = option(
        20, doc="Failure reports an hour about one domain, when ``control = dmarc_enable_forensic``; 0 for no limit."
    )
    dmarc_failure_with_body: bool = option(
        False, doc="Failure reports have the whole message; otherwise its headers only."
    )
    dmarc_forensic_sender: Template | None = option(
        None, doc="From: of failure reports, whose address is their envelope sender; unset: dmarc_report_sender."
    )
    dmarc_history_file: Template | None = option(None, doc="File for opendmarc-import.")
    dmarc_mode: str = option(
        "rfc7489",
        doc="rfc7489: organizational domains by dmarc_tld_file, pct=; rfc9989: by DNS records above, np=, psd=, t=.",
    )
    dmarc_no_reports: DomainList | None = option(None, doc="Author domains about which nobody is sent reports.")
    dmarc_report_contact: Template | None = option(
        None, doc="Where to ask about aggregate reports: a URL, or whatever else it says."
    )
    dmarc_report_organization: Template = option(
        "$qualify_domain", doc="Who sends aggregate reports, in words.", aliases=("dmarc_report_organisation",)
    )
    dmarc_report_sender: Template | None = option(
        None,
        doc="From: of aggregate reports, whose address is their envelope sender; unset: dsn_from and the null sender.",
    )
    dmarc_report_spread: Seconds = option(
        "4h", doc="A day's aggregate reports are sent over so much time after midnight UTC."
    )
    dmarc_tld_file: Template | None = option(None, doc="The public suffix list; unset: no DMARC in mode rfc7489.")
    spf_guess: Template | None = option("v=spf1 a/24 mx/24 ptr ?all", doc="The record to guess with.")
    spf_smtp_comment_template: Template | None = option(
        "Please%_see%_http://www.open-spf.org/Why",
        doc="Explanation to give when SPF fails.",
    )
    srs_config: StringList | None = option(
        None, doc="``secret:maxage:hashlength:usetimestamp:usehash``, winning over other srs_ options; flags 1 or 0."
    )
    srs_hashlength: int = option(6, doc="Base64 characters of the hash in SRS addresses, 1 to 20.")
    srs_hashmin: int = option(-1, doc="Characters of the hash that must be there, 1 to 20; -1: srs_hashlength.")
    srs_maxage: int = option(31, doc="Days for which an SRS address is good, 0 to 365.")
    srs_secrets: StringList | None = option(
        None, doc="Secrets for the option srs of redirect routers: the first signs, all are accepted. Better hidden."
    )
    srs_usehash: bool = option(True, doc="SRS addresses have a hash. Without, everybody can make them.")
    srs_usetimestamp: bool = option(True, doc="SRS addresses have a timestamp. Without, they are good for ever.")


class DatabaseOptions(Options):
    """Servers for lookups."""

    ibase_servers: StringList | None = option(None, doc="InterBase servers.", no_effect="InterBase is not supported")
    ldap_ca_cert_dir: str | None = option(None, doc="Directory of CA certificates for LDAP.")
    ldap_ca_cert_file: str | None = option(None, doc="File of CA certificates for LDAP.")
    ldap_cert_file: str | None = option(None, doc="Client certificate for LDAP.")
    ldap_cert_key: str | None = option(None, doc="Key of the client certificate for LDAP.")
    ldap_cipher_suite: str | None = option(None, doc="TLS ciphers for LDAP.")
    ldap_default_servers: StringList | None = option(None, doc="LDAP servers.")
    ldap_require_cert: str | None = option(None, doc="Check of the LDAP server's certificate.")
    ldap_start_tls: bool = option(False, doc="Start TLS with LDAP servers.")
    ldap_version: int = option(
        -1, doc="LDAP protocol version; -1 for the best.", no_effect="only version 3 is spoken, as all servers do"
    )
    lookup_open_max: int = option(
        25, doc="Lookup files kept open at the same time.", no_effect="files are read into memory and closed"
    )
    mysql_servers: StringList | None = option(None, doc="MySQL servers.")
    oracle_servers: StringList | None = option(None, doc="Oracle servers.", no_effect="Oracle is not supported")
    pgsql_servers: StringList | None = option(None, doc="PostgreSQL servers.")
    redis_servers: StringList | None = option(
        None,
        doc="Redis servers: ``host::port/database/password``, or a socket in parentheses for the host. Beyond Exim, "
        "``/database/user/password``, and ``host::port[tls]`` for TLS.",
    )
    redis_tls_certificate: str | None = option(None, doc="Client certificate for Redis servers with TLS.")
    redis_tls_privatekey: str | None = option(None, doc="Key of ``redis_tls_certificate``, if that has none in it.")
    redis_tls_verify_certificates: str = option(
        "system", doc="CA certificates for Redis servers with TLS: a file, a directory, or ``system``."
    )
    sqlite_dbfile: str | None = option(None, doc="Database for SQLite lookups that name none.")
    sqlite_lock_timeout: int = option(5, doc="Seconds to wait for a lock.")


class ExtraOptions(Options):
    """Proxies, events, embedded Perl, local_scan."""

    event_action: Template | None = option(
        None, doc="Expanded at each event.", aliases=("tpda_event_action",), later="events"
    )
    hosts_proxy: HostList | None = option(
        None, doc="Proxies that speak the PROXY protocol.", aliases=("proxy_required_hosts",), later="PROXY protocol"
    )
    hosts_xclient: HostList | None = option(None, doc="Proxies that may use XCLIENT.", later="XCLIENT")
    local_scan_timeout: Seconds = option("5m", doc="Time limit of local_scan.", later="local_scan")
    perl_at_start: bool = option(False, doc="Start the Perl interpreter at once.", later="embedded Perl")
    perl_startup: str | None = option(None, doc="Perl code to run when the interpreter starts.", later="embedded Perl")
    perl_taintmode: bool = option(False, doc="Run Perl in taint mode.", later="embedded Perl")
    python_path: StringList | None = option(
        None, doc="Folders in which the modules of ``${python`` are looked for before all others."
    )
    python_startup: StringList | None = option(
        None, doc="Modules that are imported when the process for ``${python`` starts."
    )
    python_timeout: Seconds = option(
        "10s", doc="Time limit of a function that ``${python`` calls; then its process is killed."
    )
    proxy_protocol_timeout: Seconds = option("3s", doc="Time limit of the PROXY header.", later="PROXY protocol")
