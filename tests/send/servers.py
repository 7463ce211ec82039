"""Servers that follow a script: what they say, and what they expect to hear."""

from __future__ import annotations

import socket
import threading
from types import TracebackType


class ScriptedServer:
    """Accepts connections one after another; each follows a script.

    A line of a script is something to say (``220 hello``), ``? TEXT`` (expects a line that begins with this), ``*data``
    (reads a message up to its dot), ``*bdat`` (reads a BDAT command and its octets), ``*eof`` (expects the end) or
    ``*close``. What was heard is in `heard`, what was sent as text in `texts`, what went wrong in `faults`.
    """

    def __init__(self, *scripts: str, family: int = socket.AF_INET) -> None:
        self._socket = socket.socket(family)
        self._socket.bind(("127.0.0.1", 0) if family == socket.AF_INET else ("::1", 0))
        self._socket.listen(5)
        self._socket.settimeout(10)
        self.port: int = self._socket.getsockname()[1]
        self._scripts = scripts
        self.heard: list[str] = []
        self.texts: list[bytes] = []
        self.faults: list[str] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.join(10)
        self._socket.close()
        if kind is None:
            assert not self.faults, (self.faults, self.heard)
            assert not self._thread.is_alive(), self.heard

    def _serve(self) -> None:
        for script in self._scripts:
            try:
                connection, _ = self._socket.accept()
            except OSError as error:
                self.faults.append(f"nobody came: {error}")
                return
            connection.settimeout(10)
            try:
                with connection, connection.makefile("rwb") as file:
                    for line in script.strip().splitlines():
                        if not self._follow(file, line.strip()):
                            break
            except OSError as error:
                self.faults.append(f"{error}")

    def _follow(self, file: object, line: str) -> bool:
        stream: socket.SocketIO = file  # type: ignore[assignment]
        if line == "*close":
            return False
        if line == "*empty":
            line = ""
        if line == "*eof":
            rest = stream.readline()
            if rest:
                self.faults.append(f"more came: {rest!r}")
        elif line == "*data":
            text = b""
            while not text.endswith(b"\r\n.\r\n") and text != b".\r\n":
                more = stream.readline()
                if not more:
                    self.faults.append("the text has no end")
                    return False
                text += more
            self.texts.append(text)
        elif line == "*bdat":
            command = stream.readline().decode("latin-1").strip()
            self.heard.append(command)
            self.texts.append(stream.read(int(command.split()[1])) or b"")
        elif line.startswith("?"):
            heard = stream.readline().decode("latin-1").strip()
            self.heard.append(heard)
            if not heard.startswith(line[1:].strip()):
                self.faults.append(f"expected {line[1:].strip()!r}, heard {heard!r}")
                return False
        else:
            stream.write(line.encode("latin-1") + b"\r\n")
            stream.flush()
        return True
