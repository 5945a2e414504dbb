"""Fixtures of the data sets' tests."""

from __future__ import annotations

import socket
import threading

import numpy as np
import pytest
from publisher import LIMIT, SIZE, Server

from segstudy.datasets import resuming


@pytest.fixture
def server(this_machine_only):
    """A publisher that serves what a test gives it."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
    assert len(server.requests) <= LIMIT


@pytest.fixture
def this_machine_only(monkeypatch):
    """Refuse every connection but to 127.0.0.1, and do not wait between attempts."""
    connect = socket.socket.connect

    def guarded(self, address):
        assert address[0] == "127.0.0.1", f"a test reached for {address}"
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(resuming, "PAUSE", 0)


@pytest.fixture
def body(rng) -> bytes:
    """Bytes of a file that does not compress."""
    return rng.integers(0, 256, SIZE, dtype=np.uint8).tobytes()
