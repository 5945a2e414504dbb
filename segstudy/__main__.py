"""``python -m segstudy``."""

import os
import sys

if sys.getfilesystemencoding() != "utf-8":  # a locale of another kind: names in the study's files are UTF-8
    os.execv(sys.executable, [sys.executable, "-X", "utf8", "-m", "segstudy", *sys.argv[1:]])

from segstudy.study.surroundings import spare_imports

spare_imports()  # before what imports them
from segstudy.study.cli import main  # noqa: E402

sys.exit(main())
