"""The arguments that every command on many stacks has."""

import argparse


def add_stacks(parser: argparse.ArgumentParser, *, required: bool = False) -> None:
    """Add STACK…, names or patterns: `stacks`. None names all, unless one is required."""
    what = "stacks, also as patterns like 'glue-sessions-dev-*'"
    parser.add_argument(
        "stacks", nargs="+" if required else "*", metavar="STACK", help=what if required else f"{what}; otherwise all"
    )


def add_parallelism(parser: argparse.ArgumentParser) -> None:
    """Add --parallelism: `parallelism`, None for as many as there are processors."""
    parser.add_argument("--parallelism", type=_positive, metavar="N", help="stacks at a time (default: processors)")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"supply how many, 1 or more, got {text}")
    return int(text)
