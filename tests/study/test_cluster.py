"""What a site's Slurm is told beside each job's needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from segstudy.errors import StudyError
from segstudy.study.cluster import resource_words, site_options


def test_the_command_line_goes_before_the_site_s_file(tmp_path: Path):
    assert site_options(tmp_path, []) == {}
    (tmp_path / "slurm.yaml").write_text("account: vision\nqos: low\n")
    found = site_options(tmp_path, ["qos=high", "extra=--reservation=a b"])
    assert found == {"account": "vision", "qos": "high", "extra": "--reservation=a b"}
    words = resource_words(found)
    assert words == [
        "--default-resources",
        "slurm_account='vision'",
        "qos='high'",
        "slurm_extra='--reservation=a b'",
    ]
    assert resource_words({}) == []


@pytest.mark.parametrize("text", ["partition", "=x", "partition="])
def test_a_half_option_is_refused(tmp_path: Path, text: str):
    with pytest.raises(StudyError, match="KEY=VALUE|unknown"):
        site_options(tmp_path, [text])


def test_an_unknown_key_is_refused_with_the_nearest(tmp_path: Path):
    with pytest.raises(StudyError, match="'partitoin' is unknown.*partition"):
        site_options(tmp_path, ["partitoin=short"])
    (tmp_path / "slurm.yaml").write_text("- account")
    with pytest.raises(StudyError, match="key: value"):
        site_options(tmp_path, [])
    (tmp_path / "slurm.yaml").write_text("account: [")
    with pytest.raises(StudyError, match="slurm.yaml"):
        site_options(tmp_path, [])
