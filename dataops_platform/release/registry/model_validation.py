"""Validates registered model versions before anybody requests a promotion: files, signature, types and gates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataops_platform.kit.errors import DataOpsError, LostRace, Refused
from dataops_platform.manifests.manifest import Manifest
from dataops_platform.release.build import release_of
from dataops_platform.release.promotion.gates.ask import ask_all
from dataops_platform.release.promotion.plan import Plan
from dataops_platform.release.promotion.promote import gates_of, question_of
from dataops_platform.release.reconciliation.model_aliases import RELEASE_TAG
from dataops_platform.release.registry.model_release import Runtime, candidate_cut
from dataops_platform.release.release import Release, releases_of
from dataops_platform.settings.project import Project, checkout_of
from dataops_platform.stages.contract_files import contract_of
from dataops_platform.technologies.mlflow.notes import AnnotatedVersion, annotated_versions, write_note
from dataops_platform.technologies.mlflow.registry import DIGEST_TAG, version_files
from dataops_platform.technologies.mlflow.signature import refuse_other_signature
from dataops_platform.technologies.mlflow.tracking import model_name, open_tracking
from dataops_platform.technologies.sklearn.artefact import refuse_other_files, refuse_untrusted
from dataops_platform.warehouse.heads import read_trained
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.process_lock import alone
from dataops_platform.warehouse.session import Session

if TYPE_CHECKING:
    from mlflow import MlflowClient

STATUS_TAG = "validation_status"
"""The tag with the value `passed` or `failed`. A version without it is new."""


@dataclass(frozen=True)
class Validation:
    """The validation of a version: whether all checks passed, and a text about each."""

    version: str
    passed: bool
    messages: tuple[str, ...]


def new_versions(project: Project) -> list[AnnotatedVersion]:
    """Return the versions of the environment's models without a validation, except those shown under a release."""
    marked = annotated_versions(open_tracking(project).client, model_name(project, ""))
    return [one for one in marked if STATUS_TAG not in one.tags and RELEASE_TAG not in one.tags]


def validate_versions(session: Session, code: Callable[[], Runtime], only: Sequence[str] = ()) -> list[Validation]:
    """Validate the new versions, and write the result on each as a tag and a note. `only` lists `<name>:<version>`.

    A version is validated once; remove its tag `validation_status` to validate it again. `code` is called only when a
    candidate must be scored.
    Raises: LostRace when the environment changes meanwhile; the version is then still new.
    """
    with alone(session.project, session.lake, "registry"):
        return [
            _validate(session, code, marked)
            for marked in new_versions(session.project)
            if not only or f"{marked.name}:{marked.version}" in only
        ]


def _validate(session: Session, code: Callable[[], Runtime], marked: AnnotatedVersion) -> Validation:
    client = open_tracking(session.project).client
    messages: list[str] = []
    try:
        trained = _check_files(session.project, session.lake, client, marked)
        messages.append(
            "its files are those that were trained, its signature is that of its features, its types are known"
        )
        failed, answers = _ask_gates(session, code, marked, trained)
        messages += answers
    except LostRace:
        raise  # the environment changed: the version stays new and is validated at the next evaluation
    except DataOpsError as error:
        failed = True
        messages.append(str(error))
    status = "failed" if failed else "passed"
    write_note(
        client, marked, {STATUS_TAG: status}, "validation", "\n".join([status, *(f"- {line}" for line in messages)])
    )
    return Validation(str(marked), not failed, tuple(messages))


def _check_files(project: Project, lake: Lake, client: MlflowClient, marked: AnnotatedVersion) -> Manifest:
    """Return the manifest of the training that made a version, after checking its files, signature and types.

    Raises: Refused DP-M020 for a version that no step trained, DP-M019 for another signature; what `version_files`,
    `refuse_other_files` and `refuse_untrusted` raise.
    """
    digest = marked.tags.get(DIGEST_TAG, "")
    model = marked.name.removeprefix(model_name(project, ""))
    trained = read_trained(lake.connection, model, digest)
    if trained is None:
        raise Refused("DP-M020", model=marked)
    files = version_files(client, marked.name, marked.version)
    refuse_other_files(files, digest)
    contract = contract_of(project, trained.details["table"])
    if contract is not None:
        columns = [contract.column(name) for name in trained.details["features"]]
        refuse_other_signature(files, [(c.name, c.logical_type, c.required) for c in columns])
    refuse_untrusted(files)
    return trained


def _ask_gates(
    session: Session, code: Callable[[], Runtime], marked: AnnotatedVersion, trained: Manifest
) -> tuple[bool, list[str]]:
    """Return whether any gate fails, and a text about each answer.

    A guarded environment evaluates its own gates; any other those of the environments that take its releases. Approval
    gates are left out: nobody has requested a promotion yet.
    """
    project, lake = session.project, session.lake
    asked: list[tuple[Project, Release]] = []
    model, digest = trained.name, trained.digest
    shown = lake.state(project.environment).cut.member(model)
    if shown is not None and shown.digest == digest:
        return False, [f"{project.environment} shows it"]
    if project.is_guarded:
        _, cut = candidate_cut(project, lake, code(), f"{model}@{marked.version}")
        asked.append((checkout_of(project), release_of(session, cut)))
    else:
        newest = newest_with(lake, project.environment, model, digest)
        asked += [(target, newest) for target in followers(project) if newest]
    failed, messages = False, []
    for target, release in asked:
        state = lake.state(target.environment)
        plan = Plan(
            target.environment,
            release.id,
            state.pointer,
            gates_of(target),
            state.release,
            (),
            {},
            session.actor.name,
            session.now().isoformat(),
        )
        gates = [gate for gate in target.here.gates if gate.kind != "approval"]
        for answer in ask_all(question_of(session.of(target), release, state, plan), gates, decides=False):
            failed = failed or answer.verdict == "fail"
            messages.append(f"{target.environment}, {answer.gate}: {answer.verdict}: {answer.message}")
    return failed, messages or ["no release has it yet, so no gate was asked"]


def newest_with(lake: Lake, environment: str, model: str, digest: str) -> Release | None:
    """Return the newest release that an environment built or shows, if it contains the model; else None."""
    state = lake.state(environment)
    known = [r for r in releases_of(lake) if r.built_in == environment or r.id == state.release]
    member = known[-1].cut.member(model) if known else None
    return known[-1] if member is not None and member.digest == digest else None


def followers(project: Project) -> list[Project]:
    """Return the project in each environment that takes its releases from the project's environment."""
    asked = checkout_of(project)
    names = [name for name, settings in asked.settings.environments.items() if settings.from_ == asked.environment]
    return [asked.at(name) for name in names]
