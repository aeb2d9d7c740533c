"""Render pull-request comments as a browser shows them: `make comment-pictures`, or `python -m tests.comment_pictures`.

Each situation is a recorded plan. Its review is rendered as GitHub renders it, 868 pixels wide, into `.local/pictures`;
the pictures that the documentation shows are written to `docs/pictures` as well. Needs Chromium: set CHROMIUM to its
path where it is not on PATH.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from markdown_it import MarkdownIt

from tests.repository import ROOT

PLANS = ROOT / "tests/review/plans"
OUTPUT = ROOT / ".local/pictures"
SHOWN = {"adopt-least-privilege": 720}
"""Situations whose picture the documentation shows, with the height in pixels after which it is cut."""

WIDTH = 920
HEIGHT = 2400

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


def main() -> int:
    """Render all situations; return 2 where Chromium is missing."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        print("install Chromium, or set CHROMIUM to the path of one", file=sys.stderr)
        return 2
    OUTPUT.mkdir(parents=True, exist_ok=True)
    for plan in sorted(PLANS.glob("*.json")):
        picture = OUTPUT / f"{plan.stem}.png"
        _render(chromium, _comment(plan), picture, HEIGHT)
        print(picture.relative_to(ROOT))
        if plan.stem in SHOWN:
            shown = ROOT / f"docs/pictures/comment-{plan.stem}.png"
            _render(chromium, _comment(plan), shown, SHOWN[plan.stem])
            print(shown.relative_to(ROOT))
    return 0


def _comment(plan: Path) -> str:
    command = [sys.executable, "-m", "commands.review", "--format", "markdown", str(plan)]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True).stdout


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


if __name__ == "__main__":
    sys.exit(main())
