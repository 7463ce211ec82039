"""TLS for streams: contexts, the layer between octets and ciphertext, and what became known of the other side.

OpenSSL works on memory alone (pyOpenSSL), so the same layer serves blocking sockets and event loops.
"""
