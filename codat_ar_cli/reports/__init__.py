"""Reports as values, and how they are rendered."""
