"""The gate `function`: a Python function of the project."""

from __future__ import annotations

import sys
from typing import Any

from dataops_platform.kit.digests import canonical_json
from dataops_platform.kit.errors import Refused
from dataops_platform.kit.user_code import call_function, load_function
from dataops_platform.release.promotion.gates.question import Question, answer
from dataops_platform.release.promotion.plan import Answer
from dataops_platform.settings.environments import CustomGate

RETURNS = "return an Answer, True or False, or a pair of that and what to say"


def function(question: Question, settings: CustomGate) -> Answer:
    """Return the answer of the project's function, called as `function(question, **settings)`.

    The function returns an `Answer`, a bool, or a bool and a text. An exception fails the gate and names its line.
    Raises: what `load_function` raises when there is no such function.
    """
    # the function is in the project's own code, which need not be installed
    source = str(question.project.root / "src")
    if source not in sys.path:
        sys.path.insert(0, source)
    try:
        own = call_function(settings.call, lambda: load_function(settings.call))
        given = call_function(settings.call, lambda: own(question, **settings.settings))
    except Refused as error:
        message = f"{error.message} at {error.where}" if error.where else error.message
        return answer(settings.call, False, message, code=error.code)
    return _answer(settings.call, given)


def _answer(name: str, given: Any) -> Answer:
    if isinstance(given, Answer):
        if given.verdict not in ("pass", "fail") or not isinstance(given.message, str):
            return answer(name, False, f"it gave an Answer of verdict {given.verdict!r}; write 'pass' or 'fail'")
        try:
            canonical_json(dict(given.evidence))
        except (TypeError, ValueError) as error:
            return answer(name, False, f"its evidence is not JSON-like: {error}")
        return Answer(name, given.verdict, given.message, dict(given.evidence))
    if isinstance(given, bool):
        return answer(name, given, "yes" if given else "no")
    if isinstance(given, tuple) and len(given) == 2 and isinstance(given[0], bool) and isinstance(given[1], str):
        return answer(name, *given)
    return answer(name, False, f"it gave {type(given).__name__}; {RETURNS}")
