"""Warnings: their life cycle, what is said about them by hand, and how they are judged. Pure."""
