"""MIME: what header lines and bodies mean beyond plain octets."""
