"""A Codat on a real socket; shares no code with the rest, so that it can't share its mistakes."""
