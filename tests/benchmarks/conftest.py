"""The benchmarks' own option."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write", action="store_true", help="bench_study.py keeps what it measures in data/measured"
    )
