"""What one step made (a table, one of its partitions, or a model version), its inputs, and the verdicts on it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from dataops_platform.kit.digests import canonical_json, digest_of, digest_of_bytes
from dataops_platform.kit.record import Record, plain_of, record_of
from dataops_platform.manifests.windows import LEAF, Planted, Window, Windows, plant

Kind = Literal["table", "model"]
WHOLE = ""
"""The partition key of a table or model without partitions."""
FORMAT = 1
"""The format of a manifest; docs/concepts/formats.md says when it is raised."""


@dataclass(frozen=True)
class InputRef(Record):
    """An input of a step: its content, and the manifests that made it. A file has no manifest.

    The manifests of a table of many windows are those of the tree whose root is `node`. `lineage` names all tables that
    it was made from.
    """

    name: str
    digest: str
    partition: str = WHOLE
    manifests: tuple[str, ...] = ()
    node: str | None = None
    lineage: tuple[str, ...] = ()

    @property
    def is_made(self) -> bool:
        """Whether a manifest says how it was made; not so of a file."""
        return bool(self.manifests or self.node)


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

    @cached_property
    def lineage(self) -> tuple[str, ...]:
        """The names of all tables that this was made from, directly or through others, in order."""
        made = [ref for ref in self.step.inputs if ref.is_made]
        return tuple(sorted({name for ref in made for name in (ref.name, *ref.lineage)}))

    @property
    def window(self) -> Window:
        """What the tree of a table keeps of it."""
        return Window(
            self.partition, self.digest, self.id, self.rows_audited, self.recorded_at, self.step.contract, self.lineage
        )

    def to_json(self) -> str:
        """Return the stored text: canonical JSON."""
        return canonical_json(plain_of(self))

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Return the manifest that `to_json` wrote. Raises: ValueError for another text."""
        return record_of(cls, json.loads(text))


@dataclass(frozen=True)
class Head:
    """The last audited version of a table or model in a build area, with the manifest of each partition, by key.

    `version` is a locator and means something only to the warehouse (a table) or to the registry (a model). The lake
    gives the tree of the partitions (`kept`), and manifests that are read when they are first looked at.
    """

    name: str
    kind: Kind
    version: str
    manifests: Sequence[Manifest]
    area: str = ""
    """The environment whose build area (for a model: whose registered name) holds the version."""
    kept: Windows | None = field(default=None, compare=False)

    @cached_property
    def planted(self) -> Planted:
        """The tree of the partitions, with the nodes that the lake does not keep yet."""
        return Planted(self.kept, {}) if self.kept else plant(manifest.window for manifest in self.manifests)

    @property
    def windows(self) -> Windows:
        """The partitions in sum."""
        return self.planted.windows

    @property
    def digest(self) -> str:
        """The digest of the content: for a table the sum over its partitions, for a model that of its artefact."""
        return self.windows.digest

    @cached_property
    def partitions(self) -> dict[str, Manifest]:
        """The manifest of each partition by key; the key is `""` without partitions."""
        return {manifest.partition: manifest for manifest in self.manifests}

    def ref(self, partition: str = WHOLE) -> InputRef:
        """Return the reference with which a step records that it read this head, or one partition of it."""
        if partition:
            manifest = self.partitions[partition]
            return InputRef(self.name, manifest.digest, partition, (manifest.id,), lineage=manifest.lineage)
        lineage = self.windows.lineage
        if self.kept and self.kept.count > LEAF:
            return InputRef(self.name, self.digest, WHOLE, node=self.kept.node, lineage=lineage)
        return InputRef(self.name, self.digest, WHOLE, tuple(m.id for m in self.manifests), lineage=lineage)
