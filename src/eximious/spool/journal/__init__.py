"""The journal in front of the spool: accepted messages, durable with one write and one sync for a whole group."""
