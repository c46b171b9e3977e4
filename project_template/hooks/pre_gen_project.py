"""Refuse answers that cannot name a project before a file is written; `dataops init` has checked its own answers already."""

import re
import sys

ANSWERS = {"name": {{ cookiecutter.name | tojson }}, "team": {{ cookiecutter.team | tojson }}}
ALLOWED = {"name": r"[a-z][a-z0-9]*([_-][a-z0-9]+)*", "team": r"[a-z0-9][a-z0-9_-]*"}

for question, answer in ANSWERS.items():
    if len(answer) > 40 or not re.fullmatch(ALLOWED[question], answer):
        shown = answer if len(answer) <= 60 else answer[:59] + "…"
        sys.exit(f"{question} {shown!r}: use at most 40 lower-case letters, digits and single dashes, a letter first")
