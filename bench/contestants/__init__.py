"""The contestants, each a process of its own in a virtual environment of its own; none of them imports the product's services."""
