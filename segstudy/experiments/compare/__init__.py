"""What notebook 06 measures, judges and draws: every method on the same pictures through one interface."""
