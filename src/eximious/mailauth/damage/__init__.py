"""How a message was changed after it was signed.

A signature says that something was changed, not what. `diagnose` undoes what hosts on the way commonly do, and says
which change makes the signature good again. Of an RSA signature the signed hash can be read with the public key, so
that it is known, too, whether the key is the right one at all.
"""

from eximious.mailauth.damage.change import Change
from eximious.mailauth.damage.diagnosis import Diagnosis, diagnose

__all__ = ["Change", "Diagnosis", "diagnose"]
