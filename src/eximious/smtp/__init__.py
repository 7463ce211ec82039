"""SMTP without I/O: commands, replies, message data; the server's and the client's side. Nothing here waits or decides
policy: bytes go in, commands, replies and message text come out."""
