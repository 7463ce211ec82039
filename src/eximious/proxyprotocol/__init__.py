"""The PROXY protocol, versions 1 and 2: how a load balancer says on whose behalf it connects. Without I/O.

https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
"""
