"""One verb per file: what the tool does, without a terminal."""
