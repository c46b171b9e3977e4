"""Say what a message's code means, and what to do.

Example: dataops explain DP-P101
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from dataops_platform.cli.options import AsJson
from dataops_platform.cli.output import console, print_json, reports_errors


@reports_errors
def explain(
    code: Annotated[str, typer.Argument(help="A code, as DP-P101; all codes when not given.")] = "",
    as_json: AsJson = False,
) -> None:
    """Print an example of the message, the exit status, what it means for the data, and what to do."""
    from dataops_platform.kit.codes import known_codes
    from dataops_platform.kit.errors import UsedWrongly, did_you_mean, sentences

    known, asked = known_codes(), code.strip().upper()
    if code and asked not in known:
        raise UsedWrongly("DP-X002", asked=code, hint=did_you_mean(asked, known))
    found = [known[asked]] if code else list(known.values())
    if as_json:
        print_json([{**asdict(one), "exit_code": one.exit_code, "meaning": one.meaning} for one in found])
        return
    out = console()
    for one in found:
        example = one.filled(one.example)
        out.print(f"{one.code}  {one.about}; exit status {one.exit_code}: {one.meaning}", markup=False)
        out.print(f"  {sentences(example.message, example.where)}", markup=False)
        out.print(f"  -> {example.fix}", markup=False)
