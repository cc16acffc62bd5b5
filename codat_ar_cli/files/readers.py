"""Any file we read, as a table of rows: the suffix chooses the format, the headers choose the columns."""

from collections.abc import Callable
from pathlib import Path

from codat_ar_cli.domain.layouts import Layout
from codat_ar_cli.files.delimited import read_csv
from codat_ar_cli.files.errors import FileError, UnknownFormat
from codat_ar_cli.files.nested import read_json
from codat_ar_cli.files.source import check_is_file
from codat_ar_cli.files.table import LIMITS, Limits, Table

Reader = Callable[[Path, Layout, Limits], Table]

READERS: dict[str, Reader] = {".csv": read_csv, ".tsv": read_csv, ".txt": read_csv, ".json": read_json}
"""By suffix, lower case. A new format is one entry here."""

__all__ = ["READERS", "FileError", "Limits", "Table", "read_table"]


def read_table(path: Path, layout: Layout, *, limits: Limits = LIMITS) -> Table:
    """Read a file of one layout; nothing in it is changed, guessed or left out without a note.

    Gives rows whose cells stand under the layout's canonical names, columns nobody knows under their own.
    Raises FileError subclasses where the file as a whole can't be read; a damaged record is a row with a fault.
    """
    check_is_file(path)
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        suffix = f"`{path.suffix}`" if path.suffix else "no suffix"
        raise UnknownFormat(
            f"has {suffix}; files of these kinds are read: {', '.join(READERS)}",
            name=str(path),
            hint="export it as CSV (UTF-8)",
        )
    return reader(path, layout, limits)
