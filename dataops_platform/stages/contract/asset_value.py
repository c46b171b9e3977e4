"""The value of an asset, as its check receives it: nothing, one frame, or a frame for each partition."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from types import NoneType
from typing import TYPE_CHECKING, Any

from dataops_platform.kit.errors import Refused, UsedWrongly, preview
from dataops_platform.kit.user_code import arrow_from

if TYPE_CHECKING:
    import pyarrow as pa


def refuse_nothing_given(asset: Any, key: Any) -> None:
    """Refuse an asset (an `AssetsDefinition`) that declares no value, so that there is nothing to judge.

    This holds for all dbt models, and for functions that write their tables themselves. An asset that returns nothing
    without declaring it is refused when it runs.
    Raises: UsedWrongly DP-C042.
    """
    if _is_nothing(asset, key):
        raise _nothing(key.to_user_string())


def _nothing(asset: str) -> UsedWrongly:
    return UsedWrongly("DP-C042", asset=asset)


def _is_nothing(asset: Any, key: Any) -> bool:
    if not asset.is_executable:
        return "dagster/io_manager_key" not in asset.get_asset_spec(key).metadata
    output = next(name for name, made in asset.keys_by_output_name.items() if made == key)
    if asset.node_def.output_dict[output].dagster_type.is_nothing:
        return True
    function = getattr(getattr(asset.node_def, "compute_fn", None), "decorated_fn", None)
    try:
        returned = typing.get_type_hints(function).get("return") if function else None
    except (NameError, TypeError):
        return False  # an annotation that cannot be resolved declares nothing
    return getattr(returned, "__name__", "") == "MaterializeResult" and not typing.get_args(returned)


def rows_of_run(value: Any, partitions: Sequence[str] | None, asset: str) -> tuple[Any, tuple[str, ...]]:
    """Return the rows of a run's partitions, and the keys of these partitions.

    `partitions` is None for an asset without partitions, and empty for a run of all that exist. Where `value` has a
    frame for each partition, those judged are joined in memory; a single frame is returned as it is.
    Raises: Refused DP-C043 when these partitions have no rows to read, UsedWrongly DP-C042 when an asset without
    partitions returned nothing.
    """
    if value is None and partitions is None:
        raise _nothing(asset)
    if partitions is None or not isinstance(value, Mapping | NoneType):
        return value, ()
    frames = value or {}
    found = tuple(partition for partition in partitions or frames if partition in frames)
    if not found:
        raise Refused("DP-C043", asset=asset, partitions=preview(partitions or ()) or "all")
    return _together([frames[partition] for partition in found], asset), found


def _together(frames: Sequence[Any], asset: str) -> pa.Table | Any:
    import pyarrow as pa

    if len(frames) == 1:
        return frames[0]
    tables = [frame if isinstance(frame, pa.Table) else arrow_from(frame, asset) for frame in frames]
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise UsedWrongly("DP-S014", asset=asset, reason=error) from error
