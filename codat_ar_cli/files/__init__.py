"""Files as users have them, read into rows."""
