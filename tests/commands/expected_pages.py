"""Pages that commands print, compared with files; REWRITE_EXPECTED=1 writes the files again."""

import os
from pathlib import Path


def check_page(file: Path, printed: str) -> None:
    """Compare a printed page with the expected one."""
    if os.environ.get("REWRITE_EXPECTED"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(printed, encoding="utf-8")
    assert printed == file.read_text(encoding="utf-8")
