"""Reports about DMARC: aggregate (RFC 9990, RFC 7489 appendix C) and failure reports (RFC 9991, 6591, 5965).

`aggregate` and `failure` make and read them; `destination` finds out who may be sent one.
"""
