"""Branch environments, which start from what another environment shows."""
