"""The entry point: answers `--version` before anything heavy is imported, else hands over to `cli.main`."""

import sys

from codat_ar_cli import __version__


def main() -> int:
    """Run the command line and return the process's exit code (docs/exit-codes.md)."""
    if sys.argv[1:] == ["--version"]:
        try:
            print(f"codat-ar {__version__}", flush=True)
            return 0
        except OSError:
            pass  # nowhere to write to: the long way below says so
    import gc

    # Importing makes no garbage: looking for it is a tenth of a short command's time, and so is looking for it
    # once more among everything that is about to vanish anyway.
    gc.set_threshold(200_000, 10, 10)
    from codat_ar_cli.cli import main as run

    code = run()
    gc.freeze()
    return code


if __name__ == "__main__":
    sys.exit(main())
