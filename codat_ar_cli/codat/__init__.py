"""Codat's API, typed in and typed out."""
