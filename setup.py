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
            tables = Path(__file__).parent / "data" / "published"
            for table in [*tables.glob("*.csv"), *tables.glob("ledger/*.csv")]:
                copy = place / table.relative_to(tables)
                copy.parent.mkdir(exist_ok=True)
                shutil.copy(table, copy)


setup(cmdclass={"build_py": BuildWithTables})
