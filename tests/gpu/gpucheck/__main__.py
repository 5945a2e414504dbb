"""``python -m gpucheck``, which `tests/gpu.sh` calls."""

from gpucheck.driver import main

raise SystemExit(main())
