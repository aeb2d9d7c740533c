"""Render pull-request comments as a browser shows them: `make comment-pictures`, or `python -m tests.comment_pictures`.

The review of each situation of `tests/review/situations.py` is rendered as GitHub renders it, 868 pixels wide, into
`.local/pictures`; the pictures that the documentation shows are written to `docs/pictures` as well. Needs Chromium:
set CHROMIUM to its path where it is not on PATH. Names on the command line select situations.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from markdown_it import MarkdownIt

from tests.repository import ROOT
from tests.review.situations import SITUATIONS

OUTPUT = ROOT / ".local/pictures"
SHOWN = {"partner-lost": 720, "fleet-and-a-partner-lost": 720}
"""Situations whose picture the documentation shows, with the height in pixels after which it is cut."""

WIDTH = 920
HEIGHT = 1500

_PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 20px; background: #fff; color: #1f2328;
  font: 14px/1.5 -apple-system, "Segoe UI", "Noto Sans", "Liberation Sans", Arial, sans-serif; }}
main {{ width: 868px; border: 1px solid #d1d9e0; border-radius: 6px; overflow: hidden; }}
header {{ padding: 8px 16px; background: #f6f8fa; border-bottom: 1px solid #d1d9e0; color: #59636e; }}
article {{ padding: 16px; overflow-wrap: break-word; }}
article > :first-child {{ margin-top: 0; }}
h3 {{ font-size: 1.25em; margin: 24px 0 16px; }} h4 {{ font-size: 1em; margin: 24px 0 16px; }}
p, table, ul, pre, details {{ margin: 0 0 16px; }}
table {{ display: block; width: max-content; max-width: 100%; overflow: auto; border-collapse: collapse; }}
th, td {{ padding: 6px 13px; border: 1px solid #d1d9e0; }} tr:nth-child(2n) {{ background: #f6f8fa; }}
code {{ padding: .2em .4em; font: 85% ui-monospace, "DejaVu Sans Mono", "Liberation Mono", monospace;
  background: #818b981f; border-radius: 6px; white-space: break-spaces; }}
pre {{ padding: 16px; background: #f6f8fa; border-radius: 6px; overflow: auto; }}
pre code {{ padding: 0; background: none; white-space: pre; }}
ul {{ padding-left: 2em; }}
</style><main><header><b>github-actions</b> bot commented</header><article>{comment}</article></main>"""


def main(names: Sequence[str]) -> int:
    """Render all situations, or those of the command line; return 2 where Chromium is missing."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        print("install Chromium, or set CHROMIUM to the path of one", file=sys.stderr)
        return 2
    OUTPUT.mkdir(parents=True, exist_ok=True)
    for name in names or SITUATIONS:
        comment = _comment(SITUATIONS[name]())
        (OUTPUT / f"{name}.md").write_text(comment, encoding="utf-8")
        picture = OUTPUT / f"{name}.png"
        _render(chromium, comment, picture, HEIGHT)
        print(f"{picture.relative_to(ROOT)}: {comment.count(chr(10))} lines of Markdown")
        if name in SHOWN:
            shown = ROOT / f"docs/pictures/comment-{name}.png"
            _render(chromium, comment, shown, SHOWN[name])
            _reduce_colors(shown)
            print(shown.relative_to(ROOT))
    return 0


def _comment(plans: Mapping[str, bytes]) -> str:
    """Return the comment of a review in GitHub Actions."""
    job = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/glue-sessions", "GITHUB_RUN_ID": "42"}
    with tempfile.TemporaryDirectory() as folder:
        for name, content in plans.items():
            Path(folder, f"{name}.json").write_bytes(content)
        command = [sys.executable, "-m", "commands.review", "--format", "markdown"]
        command += [str(Path(folder, f"{name}.json")) for name in plans]
        environment = {**os.environ, **job}
        done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, env=environment)
    return done.stdout


def _render(chromium: str, comment: str, picture: Path, height: int) -> None:
    body = MarkdownIt("commonmark", {"html": True}).enable("table").render(comment)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "comment.html")
        page.write_text(_PAGE.format(comment=body), encoding="utf-8")
        options = [
            *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync", "--hide-scrollbars"),
            *("--disable-background-networking", "--disable-component-update", f"--user-data-dir={folder}/profile"),
            *(f"--window-size={WIDTH},{height}", f"--screenshot={picture}"),
        ]
        subprocess.run([chromium, *options, page.as_uri()], check=True, capture_output=True)


def _reduce_colors(picture: Path) -> None:
    """Write a picture again with as many colors as text on a light ground needs: a third of the size."""
    from PIL import Image

    reduced = Image.open(picture).convert("RGB").quantize(method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    reduced.save(picture, optimize=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
