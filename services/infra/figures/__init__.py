"""Figures asked of the facts: which definitions plans ask for, and the queries that answer them."""
