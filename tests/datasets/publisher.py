"""A publisher's server on this machine that can be told to misbehave, and cards of what it serves."""

from __future__ import annotations

import hashlib
import http.server
import io
import threading
import zipfile
from pathlib import Path

from segstudy.datasets.card import Card, Remote

SIZE = 600_000
LIMIT = 12  # requests that any one test may make; beyond it the server answers 418, which no test expects


class Server(http.server.ThreadingHTTPServer):
    """Serves `files` ({path: bytes}) with Range and ETag, and misbehaves as its switches say."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.requests: list[dict[str, str]] = []  # headers of each, lower case, and "path"
        self.sent = 0  # bytes of bodies
        self.cuts: list[int] = []  # for the next requests: bytes of the body before the connection is cut
        self.etag: str | None = '"one"'
        self.ranges = True  # whether Range is honoured
        self.checks_if_range = True
        self.says_length = True
        self.shift = 0  # added to the start that a 206 sends from
        self.most = SIZE  # bytes that a 206 sends at most
        self.headers: dict[str, str] = {}  # more headers of every answer
        self.answers: list[int] = []  # for the next requests: a status in place of the file
        self.gate: threading.Event | None = None  # a request waits for it

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{name}"

    def handle_error(self, request, client_address):
        """Keep quiet when a client hangs up."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self):
        server = self.server
        server.requests.append({"path": self.path, **{k.lower(): v for k, v in self.headers.items()}})
        if server.gate:
            server.gate.wait(5)
        body = server.files.get(self.path.lstrip("/"))
        status = server.answers.pop(0) if server.answers else 200 if body is not None else 404
        if len(server.requests) > LIMIT:
            status = 418
        if status != 200:
            self.answer(status, b"sorry")
            return
        start = self.start_of_range(len(body))
        if start is not None and start >= len(body):
            self.answer(416, b"", {"Content-Range": f"bytes */{len(body)}"})
        elif start is not None:
            start += server.shift
            stop = min(len(body), start + server.most)
            span = {"Content-Range": f"bytes {start}-{stop - 1}/{len(body)}"}
            self.answer(206, body[start:stop], span)
        else:
            self.answer(200, body)

    def start_of_range(self, length: int) -> int | None:
        wanted = self.headers.get("Range")
        condition = self.headers.get("If-Range")
        if not wanted or not self.server.ranges:
            return None
        current = (None, self.server.etag, self.server.headers.get("Last-Modified"))
        if self.server.checks_if_range and condition not in current:
            return None
        return int(wanted.removeprefix("bytes=").removesuffix("-"))

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None):
        self.send_response(status)
        if self.server.etag:
            self.send_header("ETag", self.server.etag)
        if self.server.says_length or status != 200:
            self.send_header("Content-Length", str(len(body)))
        for name, value in {**self.server.headers, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        if status in (200, 206) and self.server.cuts:
            body = body[: self.server.cuts.pop(0)]
        self.server.sent += len(body)
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *args):
        """Keep quiet."""


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def make_card(*remotes: Remote) -> Card:
    return Card(
        "toy", "Toy", "toys", "2", "CC0", "Nobody 2020", "https://example.org/toy", "toy/", "Ask.", remotes
    )


def one_file(server: Server, body: bytes, checksum: str | None = "right") -> Card:
    server.files["toy.bin"] = body
    checksum = sha256(body) if checksum == "right" else checksum
    return make_card(Remote(server.url("toy.bin"), "part/toy.bin", checksum))


def make_zip(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


FILES = {"images/1.png": b"one" * 100, "masks/1.png": b"two" * 100}


def one_zip(
    server: Server, files: dict[str, bytes], name: str = "toy.zip", checksum: str | None = ""
) -> Card:
    server.files[name] = make_zip(files)
    checksum = sha256(server.files[name]) if checksum == "" else checksum
    return make_card(Remote(server.url(name), name, checksum, unpack=True))


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def kept(root: Path) -> set[str]:
    """Return what lies in the hidden folder, but for the lock and the record, which stay."""
    return {path.name for path in (root / ".toy.download").iterdir()} - {"lock", "record.json"}


class Told(list):
    """A progress that remembers its messages."""

    def __call__(self, text, done=None, total=None):
        if done is None:
            self.append(text)


def quietly(text, done=None, total=None):
    """A progress that tells nobody."""
