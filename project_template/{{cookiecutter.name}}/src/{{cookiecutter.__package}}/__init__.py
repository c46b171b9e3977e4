"""The shop: orders, customers, and a model of returns."""
