"""The board as one page of HTML that needs no other file: for a wall, an intranet or a mail."""

from __future__ import annotations

from collections.abc import Sequence
from errno import EISDIR
from html import escape
from itertools import groupby
from pathlib import Path

from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.status.board import BoardLine

COLOURS = {
    "SUCCEEDED": ("#e7f5ec", "#1b7f4b"),
    "RUNNING": ("#e6f0fd", "#1c5fb8"),
    "QUEUED": ("#eef0f3", "#55606e"),
    "AWAITING": ("#fff6e0", "#8a6100"),
    "FAILED": ("#fdeaea", "#b3261e"),
    "CANCELED": ("#fdeaea", "#b3261e"),
    "NOT": ("#eef0f3", "#55606e"),
}
"""Background and text colour by the first word of a state. The word itself is always shown, too."""

STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem; color: #1d2430; background: #fff }
h1 { font-size: 1.3rem; margin: 0 } p { margin: .2rem 0 1.4rem; color: #55606e }
main { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 1rem; align-items: start }
section { border: 1px solid #d9dee5; border-radius: 8px; padding: .8rem }
h2 { font-size: .8rem; letter-spacing: .08em; text-transform: uppercase; color: #55606e; margin: 0 0 .6rem }
article { border-radius: 6px; padding: .5rem .6rem; margin-top: .5rem; overflow-wrap: anywhere }
article b { display: block } small { color: #55606e }
"""


def board_page(project: str, shows: str, at: str, lines: Sequence[BoardLine]) -> str:
    """Return a page. `shows` is what the environment shows, `at` when that was. Stages keep the order of the lines."""
    stages = "".join(_stage(stage, list(found)) for stage, found in groupby(lines, key=lambda line: line.stage))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(project)}</title><style>{STYLE}</style></head><body>"
        f"<h1>{escape(project)}</h1><p>{escape(shows)} · {escape(at)}</p><main>{stages}</main></body></html>\n"
    )


def _stage(name: str, lines: Sequence[BoardLine]) -> str:
    return f"<section><h2>{escape(name)}</h2>{''.join(map(_card, lines))}</section>"


def _card(line: BoardLine) -> str:
    ground, ink = COLOURS.get(line.state.partition(" ")[0], COLOURS["QUEUED"])
    rows = f"{line.rows:,} rows".replace(",", " ") if line.rows is not None else ""
    refused = f"{line.refused:,} refused".replace(",", " ") if line.refused else ""
    small = f"<small>{escape(' · '.join(part for part in (rows, refused) if part))}</small>" if rows or refused else ""
    return (
        f'<article style="background:{ground}"><b>{escape(line.asset)}</b>'
        f'<span style="color:{ink}">{escape(line.state)}</span><br>{small}</article>'
    )


def write_page(path: Path, page: str) -> None:
    """Write the page, whole or not at all. Raises: UsedWrongly DP-R022."""
    part = path.parent / f"{path.name}.part"
    try:
        if path.is_dir():
            raise IsADirectoryError(EISDIR, "it is a folder")
        part.write_text(page)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UsedWrongly("DP-R022", file=path, reason=error.strerror) from None
