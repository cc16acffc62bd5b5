"""The entry point: answers `--version` before anything heavy is imported, else hands over to `cli.main`."""

import sys

from codat_ar_cli import __version__


def main() -> int:
    """Run the command line and return the process's exit code (docs/exit-codes.md)."""
    if sys.argv[1:] == ["--version"]:
        print(f"codat-ar {__version__}")
        return 0
    from codat_ar_cli.cli import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
