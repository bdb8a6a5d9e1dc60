"""Contracts: what crosses a process boundary. Pure values; every service may import this package, it imports none."""
