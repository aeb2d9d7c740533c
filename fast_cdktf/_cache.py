"""Folders of files made once from something that is installed, in the user's cache."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path


def cached_folder(sources: Iterable[Path], settings: Iterable[object], make: Callable[[], Mapping[str, bytes]]) -> Path:
    """Return the folder with the files that `make` gives by their names, calling it at the first use.

    Args:
        sources: the files that `make` reads; when one changes, another folder is made.
        settings: what else decides what `make` gives, as JSON values.
        make: gives the contents.

    Raises:
        OSError: a source cannot be read, or the folder cannot be written.
    """
    stats = [(str(source), source.stat()) for source in sources]
    identity = [[[path, stat.st_size, stat.st_mtime_ns] for path, stat in stats], *settings]
    name = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "glue-sessions", "bindings")
    folder = cache / name
    if not folder.is_dir():
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as unfinished:
            made = Path(unfinished, name)
            made.mkdir()
            for file, content in make().items():
                (made / file).write_bytes(content)
            try:
                made.rename(folder)
            except OSError:
                if not folder.is_dir():  # it is there if another process has made it at the same time
                    raise
    return folder
