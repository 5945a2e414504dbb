"""``python -m segstudy``."""

import sys

from segstudy.study.cli import main

sys.exit(main())
