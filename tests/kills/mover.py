"""Moves prod once, and dies where DATAOPS_FAULTS says.

Usage: mover.py CATALOG DATA EXTENSIONS CODE DO NUMBER, where DO is one of `MOVES`. Prints a line when it begins.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.release.promotion.switch import resume, roll_back
from dataops_platform.release.release import releases_of
from dataops_platform.settings.environ import arm_faults
from dataops_platform.warehouse.attach import LakeLocation
from dataops_platform.warehouse.open import open_lake
from tests.fixtures.shop import Shop

MODEL = "delay"
NOT_HELD = "DP-L012"


def promote(shop: Shop, number: int) -> None:
    """Makes the plan for the release of this number, and carries it out."""
    shop.promote([one for one in releases_of(shop.lake) if one.cut.member(MODEL).version == str(number)][-1])


def publish(shop: Shop, _: int) -> None:
    """Shows what was built in prod."""
    shop.publish("prod")


def rollback(shop: Shop, _: int) -> None:
    """Goes back to the release before."""
    roll_back(shop.session())


def let_go(shop: Shop, _: int) -> None:
    """Ends the hold; done already is done."""
    try:
        resume(shop.session())
    except UsedWrongly as error:
        if error.code != NOT_HELD:
            raise


MOVES: dict[str, Callable[[Shop, int], None]] = {
    "promote": promote,
    "publish": publish,
    "deliver": publish,
    "rollback": rollback,
    "resume": let_go,
}


def main(catalog: str, data: str, extensions: str, code: str, do: str, number: str) -> None:
    import pandas  # noqa: F401 - DuckDB would, when it is first given a value

    with open_lake(LakeLocation(catalog, data, Path(extensions), Path(data).with_name("anchors"))) as lake:
        moving = Shop(lake, Path(code), model=MODEL)
        print("begins", flush=True)
        arm_faults()
        MOVES[do](moving, int(number))


if __name__ == "__main__":
    main(*sys.argv[1:])
