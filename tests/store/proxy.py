"""A proxy on loopback that cuts the connection to a server before or after a COMMIT reaches it."""

import socket
import threading
from contextlib import suppress

_APPEND = b"WITH h AS (UPDATE"
_COMMIT = b"COMMIT\0"


class Proxy:
    """Passes bytes on to `port`; when `cut` is "before" or "after", the next commit loses its way there or back.

    While `gone`, nobody who connects gets through.
    """

    def __init__(self, host: str, port: int) -> None:
        self.cut: str | None = None
        self.cuts = 0
        self.gone = False
        self._target = host, port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening and drop every connection."""
        for one in (self._server, *self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                if self.gone:
                    client.close()
                    continue
                server = socket.create_connection(self._target)
                self._sockets += [client, server]
                threading.Thread(target=self._pass_on, args=(client, server), daemon=True).start()
                threading.Thread(target=self._pass_back, args=(server, client), daemon=True).start()

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            prepared = b""
            while data := client.recv(1 << 16):
                # A prepared append goes by the name it got when its text was sent.
                if _APPEND in data and data[:1] == b"P":
                    prepared = data[5 : data.index(b"\0", 5)]
                commits = _COMMIT in data or _APPEND in data or (prepared and b"\0" + prepared + b"\0" in data)
                if commits and self.cut:
                    cut, self.cut = self.cut, None
                    self.cuts += 1
                    if cut == "after":
                        self._last_words(client, server, data)
                    client.shutdown(socket.SHUT_RDWR)
                    server.shutdown(socket.SHUT_RDWR)
                    return
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)

    def _last_words(self, client: socket.socket, server: socket.socket, data: bytes) -> None:
        """Let the server have the commit, and wait until it has answered, for nobody to hear."""
        self._answered = threading.Event()
        self._deaf = client
        server.sendall(data)
        assert self._answered.wait(10)

    _deaf: socket.socket | None = None

    def _pass_back(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(1 << 16):
                if client is self._deaf:
                    if data.endswith(b"I"):
                        self._answered.set()
                    continue
                client.sendall(data)
        with suppress(OSError):
            client.shutdown(socket.SHUT_WR)
