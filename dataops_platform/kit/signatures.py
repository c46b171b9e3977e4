"""Signatures, made and verified by OpenSSH.

Source: `ssh-keygen -Y`, https://man.openbsd.org/ssh-keygen.1#Y
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from dataops_platform.kit.errors import SystemFailed, UsedWrongly

NAMESPACE = "dataops"
ALLOWED_SIGNERS = "allowed_signers"
"""The file beside `dataops.yaml` that maps people to keys: lines of `principal key-type key`."""

_KEY = re.compile(r"\bSHA256:\S+")


def sign(key: Path, text: str) -> str:
    """Return the signature of a text by a private key, which only OpenSSH reads. Raises: UsedWrongly DP-L022."""
    done = _ssh_keygen(["sign", "-q", "-f", str(key), "-n", NAMESPACE], text)
    if done.returncode:
        output = done.stderr.strip().splitlines()
        raise UsedWrongly("DP-L022", key=key.name, reason=output[-1] if output else done.returncode)
    return done.stdout


def is_signed_by(principal: str, text: str, signature: str, signers: Path) -> bool:
    """Return whether `signature` signs `text` with a key that `signers` currently gives to this principal."""
    return _verified(signature, ["verify", "-q", "-f", str(signers), "-I", principal, "-n", NAMESPACE], text)[0]


def principals_of(signature: str, signers: Path) -> list[str]:
    """Return the principals to whom `signers` gives the key of a signature. Does not verify the signature."""
    known, output = _verified(signature, ["find-principals", "-f", str(signers)], "")
    return [name for name in output.replace("\n", ",").split(",") if name] if known else []


def key_of(text: str, signature: str) -> str | None:
    """Return the fingerprint of the key that signed `text`, or None when the signature does not belong to the text.

    The key need not be known to anybody.
    """
    good, output = _verified(signature, ["check-novalidate", "-n", NAMESPACE], text)
    found = _KEY.search(output)
    return found.group() if good and found else None


def _verified(signature: str, arguments: Sequence[str], text: str) -> tuple[bool, str]:
    with tempfile.NamedTemporaryFile("w", suffix=".sig") as file:
        file.write(signature)
        file.flush()
        done = _ssh_keygen([*arguments, "-s", file.name], text)
    return done.returncode == 0, done.stdout


def _ssh_keygen(arguments: Sequence[str], text: str) -> subprocess.CompletedProcess[str]:
    command = ["ssh-keygen", "-Y", *arguments]
    try:
        return subprocess.run(
            command,
            input=text,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,  # no terminal to ask for a passphrase: it would wait there for ever
        )
    except OSError as error:
        raise SystemFailed("DP-L023", reason=error.strerror) from error
