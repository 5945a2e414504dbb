"""Which process it is, on which machine, and whether it is still there."""

from __future__ import annotations

import os
import socket
from typing import Any

import psutil

CLOCK_STEP = 60.0  # seconds: psutil's time of creation moves when the system's clock is set


def this_process() -> dict[str, Any]:
    """Return what identifies this process: a process number alone may be given out again."""
    return {"host": socket.gethostname(), "pid": os.getpid(), "created": psutil.Process().create_time()}


def has_ended(process: dict[str, Any]) -> bool:
    """Whether a process of this machine, as `this_process` told of it, has ended; one elsewhere cannot be seen."""
    if process["host"] != socket.gethostname():
        return False
    try:
        created = psutil.Process(int(process["pid"])).create_time()
        return abs(created - float(process["created"])) > CLOCK_STEP
    except psutil.NoSuchProcess:
        return True
