"""Put the papers' printed tables, `data/published`, into the wheel; everything else stands in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithTables(build_py):
    """Copy the tables beside the module that reads them; an editable install reads those of the checkout."""

    def run(self) -> None:
        """Build the package, then add the tables."""
        super().run()
        if not self.editable_mode:
            place = Path(self.build_lib) / "segstudy" / "experiments" / "published_tables"
            place.mkdir(parents=True, exist_ok=True)
            for table in Path(__file__).parent.glob("data/published/*.csv"):
                shutil.copy(table, place)


setup(cmdclass={"build_py": BuildWithTables})
