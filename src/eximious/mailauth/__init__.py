"""Mail authentication: SPF, DKIM, DMARC, ARC, SRS, Authentication-Results and their reports.

A library of its own: nothing here knows of the mail server, and any asyncio program may use it. What asks the DNS is a
coroutine and is given a `resolver.Resolver`; all else are plain functions. Results are small frozen records: ``str()``
of one is a line for people, its ``trace`` says how it came about.

====================  =================================================================================
`mailauth.spf`        RFC 7208: may this client send for that domain?
`mailauth.dkim`       RFC 6376, 8301, 8463: signatures, verified and made
`mailauth.arc`        RFC 8617: the chain of those that handled a message, validated and continued
`mailauth.dmarc`      RFC 7489 and RFC 9989: what the author's domain wants done
`mailauth.srs`        sender addresses that survive forwarding, and the way back
`mailauth.authres`    RFC 8601: Authentication-Results, read and written
`mailauth.summary`    the results of checks as one Authentication-Results field
`mailauth.reports`    aggregate and failure reports, made and read
`mailauth.damage`     how a signed message was changed on its way
`mailauth.explain`    all checks of a message, in words, and what would mend it
`mailauth.zone`       DNS records from a text file
====================  =================================================================================

``python -m eximious.mailauth FILE.eml`` prints the verdict for a message, with its reasons.
"""
