"""What one step made: a table (or one partition of it) or a model version, from which inputs, under which rules."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from dataops_platform.kit.digests import canonical_json, digest_of
from dataops_platform.manifests.table_digest import TableDigest

Kind = Literal["table", "model"]
WHOLE = ""
"""The partition key of something that has no partitions."""


@dataclass(frozen=True)
class InputRef:
    """Something a step read: its content and the manifests that made it. A file has no manifest."""

    name: str
    digest: str
    partition: str = WHOLE
    manifests: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What one rule said about one batch: how many rows it refused (or, as a warning, marked).

    A rule over all rows together has `measured` a number, and `failing_rows` is 1 where that breaks its limit.
    """

    rule: str
    severity: str
    failing_rows: int
    measured: float | None = None


@dataclass(frozen=True)
class StepIdentity:
    """Everything that decides a step's result; equal digests mean: nothing to do."""

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
class Manifest:
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

    @cached_property
    def id(self) -> str:
        """Digest of the whole record."""
        return digest_of(dataclasses.asdict(self))

    def to_json(self) -> str:
        """The record as canonical JSON."""
        return canonical_json(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """The record written by `to_json`."""
        data = json.loads(text)
        step = data.pop("step")
        inputs = tuple(InputRef(**{**ref, "manifests": tuple(ref["manifests"])}) for ref in step.pop("inputs"))
        verdicts = tuple(Verdict(**verdict) for verdict in data.pop("verdicts"))
        return cls(**data, step=StepIdentity(**step, inputs=inputs), verdicts=verdicts)


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
        """Digest of the content: for a table the sum over its partitions, for a model that of its artefact."""
        if self.kind == "model":
            return self.manifests[0].digest
        return str(sum((TableDigest.parse(m.digest) for m in self.manifests), TableDigest()))

    @cached_property
    def partitions(self) -> dict[str, Manifest]:
        """The manifest of each partition by its key; one with the key `""` when there are no partitions."""
        return {manifest.partition: manifest for manifest in self.manifests}

    def ref(self, partition: str = WHOLE) -> InputRef:
        """How a step that reads this head, or one partition of it, records what it read."""
        if partition:
            manifest = self.partitions[partition]
            return InputRef(self.name, manifest.digest, partition, (manifest.id,))
        return InputRef(self.name, self.digest, WHOLE, tuple(m.id for m in self.manifests))
