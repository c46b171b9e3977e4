"""What an asset gives a check to read: nothing, one frame, or a frame for each of its partitions."""

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
    """Refuses an asset (an `AssetsDefinition`) that says it returns no value, so that there is nothing to judge.

    So do all dbt models and tables that a function writes itself. One that does not say so is found out when it runs.
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
        return False  # an annotation that means nothing when it runs says nothing here, either
    return getattr(returned, "__name__", "") == "MaterializeResult" and not typing.get_args(returned)


def rows_of_run(value: Any, partitions: Sequence[str] | None, asset: str) -> tuple[Any, tuple[str, ...]]:
    """The rows of the partitions a run is about (of all there are, when it is about none), and which those are.

    `partitions` is null for an asset that has none. Where `value` has a frame for each, those judged stand together in
    memory; one frame is taken as it is. Raises: Refused DP-C043 when there is nothing of these partitions, UsedWrongly
    DP-C042 when an asset without any returned nothing.
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
