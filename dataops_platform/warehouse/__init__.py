"""The lake: tables with versions, heads of build areas, and the ledger of each environment, on DuckLake."""
