"""Connections: streams of bytes, to hosts and from clients."""
