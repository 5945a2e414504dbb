"""Run the study's notebooks strictly, keep their records, render reports, and the command line."""
