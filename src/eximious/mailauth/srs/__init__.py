"""The Sender Rewriting Scheme: envelope senders that survive forwarding, and bounces that find the way back.

There is no RFC; the scheme is that of the paper "Sender Rewriting Scheme" by M. Wong, as libsrs2, Mail::SRS and
postsrsd implement it (`Scheme`), and the shorter one that Exim has built in (`native`).

    >>> scheme = Scheme(["secret"], clock=lambda: 1_795_500_000)
    >>> scheme.forward("joe@example.com", "forwarder.example")
    'SRS0=TNsf=JN=example.com=joe@forwarder.example'
    >>> scheme.reverse("SRS0=TNsf=JN=example.com=joe@forwarder.example")
    'joe@example.com'
"""

from eximious.mailauth.srs.scheme import BadHash, Expired, NotRewritten, Scheme, SrsError, TooLong

__all__ = ["BadHash", "Expired", "NotRewritten", "Scheme", "SrsError", "TooLong"]
