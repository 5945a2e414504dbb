"""What notebook 02 measures, judges and draws."""
