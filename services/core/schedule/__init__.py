"""Standing against the schedule: curves, earned days, verdicts, one by one and for all agencies at once. Pure."""
