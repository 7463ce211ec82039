"""Reports about DMARC that this server sends: aggregate reports, a day's results about one domain, and failure reports.

`gathered` keeps what aggregate reports will say, `aggregate` makes them, `sending` sends those that are due, `failure`
sends a report about one message.
"""
