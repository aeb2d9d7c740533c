"""`python -m commands.demo`: show the recipe's whole journey on a local AWS."""

import sys


def main() -> int:
    """Run the demo; give the exit status."""
    try:
        from commands.demo.command import run  # most of the first second, in which Ctrl-C is Ctrl-C too

        return run()
    except KeyboardInterrupt:
        print("interrupted, nothing is left running", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
