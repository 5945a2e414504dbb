"""What the notebook of the sixth paper measures and judges."""
