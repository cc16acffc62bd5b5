"""codat-ar: accounts receivable through Codat's Accounting API, nothing pushed twice, lost or guessed."""

__version__ = "0.1.0"
