"""The evidence behind a figure, read from the facts and the archive."""
