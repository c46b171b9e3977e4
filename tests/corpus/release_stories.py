"""Stories of environments: releases, gates, ways back, branches, models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.corpus.projects import CLEAN, DEFS, ORDERS_CONTRACT, ORDERS_FILE, edit, guest, in_git, shop
from tests.corpus.story import Story
from tests.fixtures.command_line import commit_all

THREE = """\
roles: {release-manager: [bob, cid]}
environments:
  dev: {}
  staging: {from: dev, gates: [contracts, checks, freshness]}
  prod:
    from: staging
    gates: [contracts, {approval: {by: ["role:release-manager"], four_eyes: true}}]
"""
TWO = """\
environments:
  dev: {}
  prod: {from: dev, gates: [contracts]}
"""
READERS = """\
environments:
  dev: {}
  prod: {from: dev, gates: [contracts, checks, no_breaking_change]}
"""
WAIVER = ", {checks: {waived: {by: bob, why: known, until: 2999-12-31}}}, "


def releases(folder: Path) -> dict[str, Any]:
    """Two releases pass from dev to prod with gates and approvals, the second is taken back, and prod resumes."""
    story = Story(in_git(shop(folder, THREE)))
    story.do("run")
    story.do("release build")
    story.do("release build")
    story.do("promote --to prod")
    story.do("plan --to staging")
    story.do("promote --to staging")
    first = story.do("plan --to prod").json["id"]
    story.do("promote --to prod", actor="bob")
    story.do("approve {plan}", plan=first)
    story.do("promote --to prod --plan {plan}", actor="cid", plan=first)
    story.do("approve {plan} --why looked", actor="bob", plan=first)
    story.do("promote --to prod --plan {plan}", plan=first)
    story.look("dev", "staging", "prod")
    edit(story.project / ORDERS_FILE, "12.25", "13.25")
    edit(story.project / ORDERS_FILE, "2024-03-11,8,bob,9.00", "2024-03-11,9,bob,9.00")
    edit(story.project / DEFS / "clean/defs.yaml", "0.8", "0.7")
    commit_all(story.project, "Second")
    story.change("another amount, another key, and other code")
    story.do("release build")
    story.do("run")
    release = story.do("release build").json["id"]
    story.do("promote --to staging")
    second = story.do("plan --to prod").json["id"]
    story.do("approve {plan}", actor="bob", plan=second)
    story.do("promote --to prod --plan {plan}", plan=second)
    story.look("prod")
    story.do("promote --to prod --plan {plan}", plan=second)
    story.do("rollback prod --data")
    story.do("rollback prod --to 99")
    story.do("rollback prod", actor="cid")
    story.look("prod")
    story.do("rollback prod")
    story.do("promote --to prod --plan {plan}", plan=second)
    story.do("resume prod")
    story.do("rollback prod --to {release}", release=release)
    story.look("prod")
    story.do("env list")
    return story.end("dev", "staging", "prod")


def stricter_contract(folder: Path) -> dict[str, Any]:
    """A contract is made stricter: audited again, told to readers, stopped by gates, waived, announced by a version."""
    story = Story(in_git(shop(folder, READERS)))
    contract, settings = story.project / ORDERS_CONTRACT, story.project / "dataops.yaml"
    for command in ("run", "release build", "promote --to prod"):
        story.do(command)
    edit(contract, "version: 1.0.0", "version: 1.1.0")
    edit(contract, "    properties:\n", WARNS + "    properties:\n")
    commit_all(story.project, "Warns")
    story.change("a rule that warns, in a minor version")
    for command in ("contracts diff HEAD~1", "run --select publication", "run", "release build", "plan --to prod"):
        story.do(command)
    story.do("promote --to prod")
    edit(settings, ", checks, ", WAIVER)
    edit(contract, "{minimum: 0}", "{minimum: 5}")
    edit(contract, "customer, logicalType: string, required: true", "customer, logicalType: string")
    commit_all(story.project, "Stricter")
    story.change("the gate that said no is waived; small amounts are refused, customers may lack, nothing announces it")
    for command in ("contracts diff HEAD~1", "run", "release build", "plan --to prod", "promote --to prod"):
        story.do(command)
    story.look("dev", "prod")
    edit(contract, "version: 1.1.0", "version: 2.0.0")
    commit_all(story.project, "Announced")
    story.change("the version announces it")
    for command in ("run", "release build", "promote --to prod"):
        story.do(command)
    story.look("prod")
    story.built()
    return story.end("dev", "prod")


WARNS = """\
    quality:
      - {name: small, engine: duckdb, implementation: amount > 8, severity: warning}
      - {type: library, metric: rowCount, mustBeLessThan: 2, severity: warning}
"""


def branch(folder: Path) -> dict[str, Any]:
    """A branch environment starts from what dev shows, builds what changed, and goes without a trace in dev."""
    story = Story(shop(folder))
    story.do("env create pr_12 --from dev")
    story.do("run")
    story.do("env create pr_12 --from dev")
    story.look("pr_12")
    story.do("run --env pr_12")
    edit(story.project / DEFS / "clean/defs.yaml", 'null_values: [""]', 'null_values: ["", cid]')
    story.change("code of which the branch makes its own table")
    story.do("run --env pr_12")
    story.look("pr_12", "dev")
    story.built("pr_12")
    for command in ("create dev --from pr_12", "create pr_13 --from pr_12", "create pr_13 --from dev", "list"):
        story.do(f"env {command}")
    for command in ("drop pr_12", "drop dev", "list"):
        story.do(f"env {command}")
    story.do("run --env pr_12")
    story.look("pr_13", "dev")
    return story.end("dev", "pr_12", "pr_13")


def held(folder: Path) -> dict[str, Any]:
    """Prod runs its release on new data, is taken back to the data before, held, and publishes again when resumed."""
    story = Story(in_git(shop(folder, TWO)))
    story.do("run --env prod")
    for command in ("run", "release build", "promote --to prod"):
        story.do(command)
    story.look("prod")
    edit(story.project / ORDERS_FILE, "12.25", "13.25")
    (story.project / DEFS / "clean/defs.yaml").write_text(CLEAN.replace('[""]', '["", bob]'))
    story.change("another amount, and code that prod does not run")
    story.do("run --env prod")
    story.look("prod")
    story.do("rollback prod --data")
    story.look("prod")
    story.do("run --env prod")
    story.look("prod")
    story.do("resume prod")
    story.do("resume prod")
    story.do("run --env prod")
    story.look("prod")
    story.built("prod")
    return story.end("dev", "prod")


def model(folder: Path) -> dict[str, Any]:
    """A model is trained, scored with and promoted, a second one after it, and the first one comes back."""
    story = Story(in_git(guest(folder, {"dataops.yaml": GUEST})))
    story.do("run")
    story.models()
    story.built()
    for command in ("release build", "plan --to prod", "promote --to prod"):
        story.do(command)
    story.models()
    story.look("prod")
    edit(story.project / "src/guest/definitions.py", "> 40 as stayed", "> 30 as stayed")
    commit_all(story.project, "Second")
    story.change("others stay")
    for command in ("run", "release build", "plan --to prod", "promote --to prod"):
        story.do(command)
    story.models()
    story.look("prod")
    story.do("rollback prod")
    story.models()
    story.look("prod")
    return story.end("dev", "prod")


GUEST = """\
project: guest
owner: team:members
environments:
  dev: {}
  prod: {from: dev, gates: [contracts, {model_not_worse: {tolerance: 1.0}}]}
"""
