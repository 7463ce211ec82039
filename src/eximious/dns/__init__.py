"""DNS: the wire format, asking servers, a cache, and what mail needs on top (MX, addresses, reverse lookups)."""
