"""Plain records of what a step made, from what, under which rules; and what follows from them."""
