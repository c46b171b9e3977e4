"""What one step made (a table, one of its partitions, or a model version), its inputs, and the verdicts on it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from dataops_platform.kit.digests import canonical_json, digest_of, digest_of_bytes
from dataops_platform.kit.record import Record, plain_of, record_of
from dataops_platform.manifests.table_digest import TableDigest

Kind = Literal["table", "model"]
WHOLE = ""
"""The partition key of a table or model without partitions."""
FORMAT = 1
"""The format of a manifest; docs/concepts/formats.md says when it is raised."""


@dataclass(frozen=True)
class InputRef(Record):
    """An input of a step: its content, and the manifests that made it. A file has no manifest."""

    name: str
    digest: str
    partition: str = WHOLE
    manifests: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict(Record):
    """The outcome of one rule for one batch: the number of rows it refused or, as a warning, marked.

    A rule over all rows together has a number in `measured`; `failing_rows` is 1 where that number breaks the rule's
    limit.
    """

    rule: str
    severity: str
    failing_rows: int
    measured: float | None = None


@dataclass(frozen=True)
class StepIdentity(Record):
    """Everything that decides a step's result; a step with the same digest as before has nothing to do."""

    code: str
    config: str
    contract: str
    inputs: tuple[InputRef, ...]

    @cached_property
    def digest(self) -> str:
        """Digest of code, config, contract and the contents of all inputs."""
        inputs = {f"{ref.name}[{ref.partition}]": ref.digest for ref in self.inputs}
        return digest_of([self.code, self.config, self.contract, inputs])


@dataclass(frozen=True)
class Manifest(Record):
    """An audited result. Rows obey `rows_in == rows_audited + rows_refused`."""

    environment: str
    stage: str
    name: str
    kind: Kind
    partition: str
    run_id: str
    step: StepIdentity
    digest: str
    rows_in: int
    rows_audited: int
    rows_refused: int
    recorded_at: str
    contract_version: str = ""
    verdicts: tuple[Verdict, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)
    format: int = FORMAT

    @cached_property
    def id(self) -> str:
        """The digest of the whole record."""
        return digest_of_bytes(self.to_json().encode())

    def to_json(self) -> str:
        """Return the stored text: canonical JSON."""
        return canonical_json(plain_of(self))

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Return the manifest that `to_json` wrote. Raises: ValueError for another text."""
        return record_of(cls, json.loads(text))


@dataclass(frozen=True)
class Head:
    """The last audited version of a table or model in a build area, with the manifest of each partition.

    `version` is a locator and means something only to the warehouse (a table) or to the registry (a model).
    """

    name: str
    kind: Kind
    version: str
    manifests: tuple[Manifest, ...]
    area: str = ""
    """The environment whose build area (for a model: whose registered name) holds the version."""

    @cached_property
    def digest(self) -> str:
        """The digest of the content: for a table the sum over its partitions, for a model that of its artefact."""
        if self.kind == "model":
            return self.manifests[0].digest
        return str(sum((TableDigest.parse(m.digest) for m in self.manifests), TableDigest()))

    @cached_property
    def partitions(self) -> dict[str, Manifest]:
        """The manifest of each partition by key; the key is `""` without partitions."""
        return {manifest.partition: manifest for manifest in self.manifests}

    def ref(self, partition: str = WHOLE) -> InputRef:
        """Return the reference with which a step records that it read this head, or one partition of it."""
        if partition:
            manifest = self.partitions[partition]
            return InputRef(self.name, manifest.digest, partition, (manifest.id,))
        return InputRef(self.name, self.digest, WHOLE, tuple(m.id for m in self.manifests))
