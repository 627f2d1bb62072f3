"""What is held and what it cost: fills applied to lots, positions and cash, and accounts summed up."""
