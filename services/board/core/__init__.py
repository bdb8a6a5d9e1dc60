"""What the board decides and says: pure."""
