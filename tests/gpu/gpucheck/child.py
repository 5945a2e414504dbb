"""The process of a part: it keeps what it finds line by line, so that nothing is lost when it is ended.

Called with part, notebook, device, seconds and file. A line is a result, or says what the machine is, what it lacks, or
which error ended the part.
"""

from __future__ import annotations

import json
import math
import signal
import sys
import traceback
from typing import Any

from gpucheck.results import NoGPU, in_short, lacking


def main(part: str, notebook: str, device: str, seconds: str, file: str) -> None:
    """Run a part."""
    signal.alarm(math.ceil(float(seconds)) + 1)  # should the driver end first
    with open(file, "w", encoding="utf-8") as stream:

        def keep(entry: dict[str, Any]) -> None:
            stream.write(json.dumps(entry, allow_nan=False) + "\n")
            stream.flush()

        try:
            from gpucheck import parts

            keep({"machine": parts.machine(device)})
            for result in parts.PARTS[part](device, notebook):
                keep(result)
                print(f"  {result['name']}: {result['state']} {result['note']}".rstrip(), flush=True)
        except ImportError as error:
            keep({"lacks": lacking(error)})
        except NoGPU:
            keep({"lacks": "GPU"})
        except Exception as error:
            traceback.print_exc()
            keep({"error": in_short(error)})


if __name__ == "__main__":
    main(*sys.argv[1:])
