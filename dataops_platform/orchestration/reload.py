"""Reloading of a code location in Dagster's web server.

Source: https://docs.dagster.io/api/clients/graphql
"""

from __future__ import annotations

from urllib.parse import urlsplit

TIMEOUT_S = 120
RELOADED = "reloaded"


def reload_location(address: str, location: str) -> str:
    """Reload a code location. Return `RELOADED`, or in words why not. It can be repeated.

    `address` is the web server's, `http://host:port`.
    """
    try:
        from dagster_graphql import DagsterGraphQLClient, ReloadRepositoryLocationStatus
    except ImportError:
        return "it cannot be reloaded from here, for dagster-graphql is not installed"
    parts = urlsplit(address)
    try:
        client = DagsterGraphQLClient(
            parts.hostname or "", parts.port, use_https=parts.scheme == "https", timeout=TIMEOUT_S
        )
        answer = client.reload_repository_location(location)
    except Exception as error:
        return f"Dagster could not be asked to reload it: {type(error).__name__}"
    if answer.status == ReloadRepositoryLocationStatus.SUCCESS:
        return RELOADED
    return f"it was reloaded and failed: {answer.message or answer.failure_type}"
