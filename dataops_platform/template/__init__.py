"""The template behind `dataops init`, and the upgrade of projects made from an older one."""
