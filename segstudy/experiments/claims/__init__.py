"""What notebook 08 gathers, checks and draws: the verdicts on all claims, and where papers contradict themselves."""
