"""Profiles of batches, put together."""

from __future__ import annotations

from dataops_platform.manifests.profile import ColumnProfile, merged_profile, profile_details


def test_profiles_of_batches_are_put_together_column_by_column() -> None:
    march = profile_details([ColumnProfile("a", 1, 3, 2, 9), ColumnProfile("b", 0, 2, "x", "z")])
    april = profile_details([ColumnProfile("a", 2, 2, -1, 4), ColumnProfile("b", 4, 0)])
    assert merged_profile([march, {"every": "month"}, april]) == [
        {"column": "a", "nulls": 3, "distinct": 3, "minimum": -1, "maximum": 9},
        {"column": "b", "nulls": 4, "distinct": 2, "minimum": "x", "maximum": "z"},
    ]
