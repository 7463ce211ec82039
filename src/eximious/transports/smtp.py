"""The smtp transport: deliver to other hosts by SMTP, or by LMTP over TCP.

Here are the options; the work is done by `eximious.send`. (Exim specification, chapter "The smtp transport".)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from eximious.config.errors import Fault
from eximious.config.option import option
from eximious.transports.base import Batch, Transport, transports
from eximious.transports.outcome import Outcome

if TYPE_CHECKING:
    from eximious.config.configuration import Configuration
    from eximious.config.values import ExpandedBool
    from eximious.context import Context
    from eximious.expand.template import Template
    from eximious.lists.domain import DomainList
    from eximious.lists.host import HostList
    from eximious.units import Seconds


@transports.register("smtp")
class Smtp(Transport):
    """Deliver to other hosts by SMTP."""

    is_local: ClassVar[bool] = False
    driver_name: ClassVar[str] = "smtp"

    retry_use_local_part: bool = option(False, doc="Has no effect: retry hints for remote deliveries are for hosts.")

    address_retry_include_sender: bool = option(
        True, doc="A recipient that is refused for now is tried again later for this sender only."
    )
    allow_localhost: bool = option(False, doc="This machine may be among the hosts.")
    arc_sign: Template | None = option(None, doc="Seal the message: domain : selector : key.")
    authenticated_sender: Template | None = option(None, doc="Sender for the AUTH parameter of MAIL.")
    authenticated_sender_force: bool = option(False, doc="Send the AUTH parameter without having authenticated.")
    command_timeout: Seconds = option("5m", doc="How long to wait for the answer to a command.")
    connect_timeout: Seconds = option("5m", doc="How long to wait for a connection; 0 means the system's limit.")
    connection_max_messages: int = option(500, doc="How many messages go over one connection; 0 means any number.")
    dane_require_tls_ciphers: Template | None = option(
        None, doc="As tls_require_ciphers, for hosts verified by DANE.", later="DANE"
    )
    data_timeout: Seconds = option("5m", doc="How long sending a block of the message may take.")
    delay_after_cutoff: bool = option(
        True, doc="When all hosts have been failing for too long, wait for their retry times all the same."
    )
    dkim_canon: Template | None = option(None, doc="Canonicalization: relaxed or simple.")
    dkim_domain: Template | None = option(None, doc="Domains to sign for.")
    dkim_hash: Template | None = option("sha256", doc="Hash algorithm of the signature.")
    dkim_identity: Template | None = option(None, doc="Identity (i=) in the signature.")
    dkim_private_key: Template | None = option(None, doc="Key to sign with, or its file.")
    dkim_selector: Template | None = option(None, doc="Selectors to sign with.")
    dkim_sign_headers: Template | None = option(None, doc="Headers to sign.")
    dkim_strict: Template | None = option(None, doc="Defer if the message cannot be signed.")
    dkim_timestamps: Template | None = option(None, doc="Add times to the signature.")
    dns_qualify_single: bool = option(True, doc="Complete host names of one component, as the resolver does.")
    dns_search_parents: bool = option(False, doc="Search host names in parent domains, as the resolver does.")
    dnssec_request_domains: DomainList | None = option("*", doc="Domains for which DNSSEC is asked for.")
    dnssec_require_domains: DomainList | None = option(None, doc="Domains for which DNSSEC is required.")
    dscp: Template | None = option(None, doc="Differentiated services code point for the connection.")
    fallback_hosts: Template | None = option(None, doc="Hosts to try when all others have failed.")
    final_timeout: Seconds = option("10m", doc="How long to wait for the answer to the message.")
    gethostbyname: bool = option(False, doc="Look up hosts by gethostbyname() and not in the DNS.")
    helo_data: Template | None = option("$primary_hostname", doc="Our name in HELO, EHLO and LHLO.")
    host_name_extract: Template | None = option(
        "${if and { {match {$host} {.outlook.com\\$}} {match {$item} {\\N^250-([\\w.]+)\\s\\N}} } {$1}}",
        doc="Part of the answer to EHLO that tells servers behind a balancer apart, for TLS resumption.",
        later="TLS resumption",
    )
    hosts: Template | None = option(None, doc="Hosts for addresses that have none from their router.")
    hosts_avoid_esmtp: HostList | None = option(None, doc="Hosts greeted with HELO.")
    hosts_avoid_pipelining: HostList | None = option(None, doc="Hosts with which commands are not pipelined.")
    hosts_avoid_tls: HostList | None = option(None, doc="Hosts with which TLS is not used.")
    hosts_max_try: int = option(5, doc="How many hosts (IP addresses) to try in one delivery.")
    hosts_max_try_hardlimit: int = option(50, doc="The same, with those counted that had been failing for too long.")
    hosts_nopass_tls: HostList | None = option(None, doc="Hosts whose TLS connections end with the message.")
    hosts_noproxy_tls: HostList | None = option(
        None,
        doc="Hosts whose TLS connections are not kept for another message by a proxy process.",
        no_effect="no proxy process is needed for that",
    )
    hosts_override: bool = option(False, doc="Use `hosts` even for addresses that have hosts from their router.")
    hosts_pipe_connect: HostList | None = option(
        None,
        doc="Hosts to which the first commands go before their greeting comes.",
        later="early pipelining",
    )
    hosts_randomize: bool = option(False, doc="Try hosts in random order.")
    hosts_request_ocsp: HostList | None = option("*", doc="Hosts asked for an OCSP staple.", later="OCSP")
    hosts_require_alpn: HostList | None = option(None, doc="Hosts that must agree to one of tls_alpn.")
    hosts_require_auth: HostList | None = option(None, doc="Hosts to which nothing is sent without authentication.")
    hosts_require_dane: HostList | None = option(None, doc="Hosts that must be verified by DANE.", later="DANE")
    hosts_require_ocsp: HostList | None = option(None, doc="Hosts that must give a good OCSP staple.", later="OCSP")
    hosts_require_tls: HostList | None = option(None, doc="Hosts to which nothing is sent without TLS.")
    hosts_try_auth: HostList | None = option(None, doc="Hosts with which authentication is tried.")
    hosts_try_chunking: HostList | None = option("*", doc="Hosts that get the message by BDAT if they offer it.")
    hosts_try_dane: HostList | None = option("*", doc="Hosts verified by DANE if they have TLSA records.", later="DANE")
    hosts_try_fastopen: HostList | None = option(
        "*",
        doc="Hosts to connect to with TCP Fast Open.",
        no_effect="in SMTP the server speaks first, and there is nothing to send with the first packet",
    )
    hosts_try_prdr: HostList | None = option("*", doc="Hosts that are asked to answer for each recipient.")
    hosts_verify_avoid_tls: HostList | None = option(None, doc="Hosts with which callouts do not use TLS.")
    interface: Template | None = option(None, doc="Our own address for connections.")
    keepalive: bool = option(True, doc="Set SO_KEEPALIVE on connections.")
    lmtp_ignore_quota: bool = option(False, doc="With LMTP, send the parameter IGNOREQUOTA.")
    max_rcpt: Template | None = option("100", doc="How many recipients a transaction has; 0 means any number.")
    message_linelength_limit: int = option(998, doc="Fail messages with longer lines, in octets; 0 means any length.")
    multi_domain: ExpandedBool = option(True, doc="One transaction may have recipients in different domains.")
    port: Template | None = option(None, doc="TCP port or service; smtp, smtps or lmtp by default, as `protocol` says.")
    protocol: str | None = option(None, doc="smtp (as if unset), smtps or submissions (TLS from the start) or lmtp.")
    retry_include_ip_address: ExpandedBool = option(True, doc="Retry hints are for an IP address, not only a name.")
    serialize_hosts: HostList | None = option(None, doc="Hosts to which there is one connection at a time.")
    size_addition: int = option(
        1024, doc="What the SIZE parameter adds to the message's size; below 0: no SIZE parameter."
    )
    socks_proxy: Template | None = option(None, doc="SOCKS servers to connect through.", later="SOCKS")
    tls_alpn: Template | None = option(None, doc="Protocol name to offer by ALPN.")
    tls_certificate: Template | None = option(None, doc="Our certificate file.")
    tls_crl: Template | None = option(None, doc="File of revocation lists.")
    tls_dh_min_bits: int = option(
        1024, doc="Fewest bits of a Diffie-Hellman group.", no_effect="OpenSSL's security level decides"
    )
    tls_eccurve: Template | None = option(None, doc="Elliptic curves to use.")
    tls_privatekey: Template | None = option(None, doc="File of our private key.")
    tls_require_ciphers: Template | None = option(None, doc="Permitted ciphers.")
    tls_resumption_hosts: HostList | None = option(
        None, doc="Hosts with which sessions are resumed.", later="TLS session resumption"
    )
    tls_sni: Template | None = option(None, doc="Server name to ask for.")
    tls_tempfail_tryclear: bool = option(True, doc="If TLS cannot be started, go on without it.")
    tls_try_verify_hosts: HostList | None = option("*", doc="Hosts whose certificate is verified, without consequence.")
    tls_verify_cert_hostnames: HostList | None = option("*", doc="Hosts whose certificate must have their name.")
    tls_verify_certificates: Template | None = option("system", doc="Certificates of trusted authorities.")
    tls_verify_hosts: HostList | None = option(None, doc="Hosts whose certificate must be good.")
    utf8_downconvert: Template | None = option(
        None, doc="Turn internationalized addresses into ASCII ones: 1 always, -1 if needed.", later="SMTPUTF8"
    )

    def check(self, config: Configuration) -> None:
        """Check the options together."""
        super().check(config)
        whose = f"{self.name} transport"
        if min(self.command_timeout, self.data_timeout, self.final_timeout) <= 0:
            raise Fault(f"command, data, or final timeout value is zero for {whose}")
        if self.protocol is not None:
            self.protocol = self.protocol.lower()
            if self.protocol == "submissions":  # RFC 8314's name for the same port
                self.protocol = "smtps"
        if (self.protocol or "smtp") not in ("smtp", "smtps", "lmtp"):
            raise Fault(f"invalid value for protocol: {self.protocol}", whose=whose)

    def deliver(self, batch: Batch, context: Context) -> list[Outcome]:
        """Send the message to the hosts of the batch, as SMTP or LMTP."""
        from eximious.send.delivery import Delivery

        return Delivery(self, batch, context).run()
