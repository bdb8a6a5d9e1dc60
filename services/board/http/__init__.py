"""The board's HTTP."""
