"""The books: what happened, as events of the journal, and what follows from it: orders, positions, lots and cash."""
