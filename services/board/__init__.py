"""The board: what is read or answered about standing, evidence and warnings. Begins with the read API."""
