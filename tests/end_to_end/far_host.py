"""A small SMTP server for tests: writes the recipients that it takes to a file, and does not know "nobody".

python far_host.py ADDRESS PORT FILE
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path


async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection."""

    def say(text: str) -> None:
        writer.write(f"{text}\r\n".encode())

    say("220 far.test ESMTP")
    recipients: list[str] = []
    while line := await reader.readline():
        verb, _, rest = line.decode("latin-1").strip().partition(" ")
        match verb.upper():
            case "EHLO":
                say("250-far.test\r\n250-PIPELINING\r\n250 SIZE")
            case "RCPT" if "nobody" in rest:
                say("550 5.1.1 nobody of that name")
            case "RCPT":
                recipients.append(rest.partition(":")[2].strip("<>"))
                say("250 known")
            case "DATA" if not recipients:
                say("503 for whom?")
            case "DATA":
                say("354 go on")
                await reader.readuntil(b"\r\n.\r\n")
                with Path(sys.argv[3]).open("a") as taken:
                    taken.write("".join(f"{recipient}\n" for recipient in recipients))
                recipients = []
                say("250 taken")
            case "QUIT":
                say("221 bye")
                break
            case _:
                say("250 ok")
        await writer.drain()
    writer.close()


async def main() -> None:
    server = await asyncio.start_server(talk, sys.argv[1], int(sys.argv[2]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
