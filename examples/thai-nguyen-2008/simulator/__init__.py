"""A seeded province: writes what real systems write, and knows the truth behind it. Nothing here imports the services."""
