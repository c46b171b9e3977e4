"""Say what a message's code means, and what to do.

Example: dataops explain DP-P101
"""

from __future__ import annotations

from typing import Annotated

import typer

from dataops_platform.cli.options import AsJson
from dataops_platform.cli.output import console, errors_shown, print_json


def explain(
    code: Annotated[str, typer.Argument(help="A code, as DP-P101; all codes when not given.")] = "",
    as_json: AsJson = False,
) -> None:
    """Prints what kind of error it is, each way it is told, and what helps."""
    with errors_shown(as_json):
        from dataops_platform.kit.codes import explained, known_codes

        found = [explained(code)] if code else list(known_codes().values())
        if as_json:
            print_json(
                [
                    {
                        "code": one.code,
                        "exit_code": one.kind.exit_code,
                        "about": one.about,
                        "meaning": one.meaning,
                        "told": [said.__dict__ for said in one.told],
                    }
                    for one in found
                ]
            )
            return
        out = console()
        for one in found:
            out.print(f"{one.code}  {one.about}; exit code {one.kind.exit_code}: {one.meaning}", markup=False)
            for said in one.told:
                out.print(f"  {said.what}" + (f"\n    -> {said.fix}" if said.fix else ""), markup=False)
