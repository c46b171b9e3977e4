"""The environment variables that the platform reads."""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Mapping
from pathlib import Path

from dataops_platform.kit.actor import ACTOR_TAG, Actor
from dataops_platform.kit.digests import digest_of
from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.kit.faults import arm

NAMES = {
    "DATAOPS_ENV": "The environment to work in; `dev` when not set.",
    "DATAOPS_ACTOR": "The actor's name (CI, containers) in place of the process' user; declared, not authenticated.",
    "DATAOPS_FAULTS": "Fault points at which the process is killed, for tests only: `publish.before_commit:1,…`.",
    "DATAOPS_LEDGER_KEY": "A private OpenSSH key that signs each event of the ledger; unsigned when not set.",
    "DATAOPS_DAGSTER_URL": "Dagster's web server, as `http://127.0.0.1:3000`; its code locations are reloaded.",
    "DATAOPS_LOCK": "Set by a code server for its runs: digests of its lock file and of its installed packages.",
    "DAGSTER_HOME": "Dagster's instance folder; the project's `.dataops/dagster` when not set.",
    "NO_COLOR": "Plain text on the terminal when set to anything.",
}

_SET_BY_ITSELF = frozenset({"_", "COLUMNS", "DAGSTER_HOME", "DATAOPS_ENV", "LINES", "OLDPWD", "PWD", "SHLVL"})
"""Variables that shells and this platform set on the way; the environment is known from elsewhere."""

ENVIRONMENT_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def chosen_environment() -> str:
    """Return the environment named by `DATAOPS_ENV`, else `dev`.

    Raises: UsedWrongly DP-P006 for a name that cannot be a schema.
    """
    return checked_environment(os.environ.get("DATAOPS_ENV") or "dev")


def checked_environment(name: str) -> str:
    """Return `name` when it can name an environment: lower case, at most 40 characters, no double underscore.

    Raises: UsedWrongly DP-P006.
    """
    if not ENVIRONMENT_NAME.fullmatch(name) or "__" in name:
        raise UsedWrongly("DP-P006", name=name)
    return name


def ledger_key() -> Path | None:
    """Return the file of the key that signs the ledger's events, or None."""
    value = os.environ.get("DATAOPS_LEDGER_KEY")
    return Path(value).expanduser() if value else None


def dagster_home() -> Path | None:
    """Return the folder named by `DAGSTER_HOME`, or None."""
    value = os.environ.get("DAGSTER_HOME")
    return Path(value) if value else None


def dagster_url() -> str:
    """Return the address of Dagster's web server from `DATAOPS_DAGSTER_URL`; empty when not set."""
    return os.environ.get("DATAOPS_DAGSTER_URL", "")


def known_lock() -> tuple[str, str]:
    """Return the digests of the lock that this process' interpreter fits, and of the packages installed then.

    Both are empty when no parent process recorded them.
    """
    lock, _, installed = os.environ.get("DATAOPS_LOCK", "").partition(" ")
    return lock, installed


def set_known_lock(lock: str, installed: str) -> None:
    """Record for child processes which lock the interpreter fits, so that later edits of the lock do not count."""
    os.environ["DATAOPS_LOCK"] = f"{lock} {installed}"


def set_dagster_home(folder: Path) -> None:
    """Set Dagster's instance folder for this process and those it starts."""
    os.environ["DAGSTER_HOME"] = str(folder)


def set_environment(name: str) -> None:
    """Set the environment for this process and those it starts."""
    os.environ["DATAOPS_ENV"] = checked_environment(name)


def variables_with(**more: str) -> dict[str, str]:
    """Return the environment variables of this process with `more` added, for a child process."""
    return {**os.environ, **more}


def digest_of_variables() -> str:
    """Return the digest of the environment variables that a project's code may read, without those that shells set."""
    return digest_of({name: value for name, value in os.environ.items() if name not in _SET_BY_ITSELF})


def mlflow_defaults() -> None:
    """Turn off MLflow's telemetry and its loading of pickles, unless the user has set them."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")


def arm_faults() -> None:
    """Arm the fault points that a test asks for. Raises: UsedWrongly DP-P010 for a name that is no fault point."""
    try:
        arm(os.environ.get("DATAOPS_FAULTS", ""))
    except ValueError as error:
        raise UsedWrongly("DP-P010", reason=error) from None


def process_actor() -> Actor:
    """Return the actor that `DATAOPS_ACTOR` names, else the user of this process.

    Raises: UsedWrongly DP-P011 for a name with spaces or a colon.
    """
    declared = os.environ.get("DATAOPS_ACTOR")
    if declared:
        return Actor(_checked_name(declared, "DATAOPS_ACTOR"), "variable")
    try:
        return Actor(getpass.getuser())
    except (KeyError, OSError):
        return Actor("unknown")


def actor_of_run(tags: Mapping[str, str]) -> Actor:
    """Return the actor of a Dagster run: the one that its tag `dataops/actor` names, else that of this process.

    Raises: UsedWrongly DP-P011 for a name with spaces or a colon.
    """
    declared = tags.get(ACTOR_TAG)
    return Actor(_checked_name(declared, ACTOR_TAG), "tag") if declared else process_actor()


def _checked_name(name: str, declared_in: str) -> str:
    if not re.fullmatch(r"[^\s:]+", name):
        raise UsedWrongly("DP-P011", declared_in=declared_in, name=name)
    return name
