"""Can this token be sold again, and at what tax: proved by simulation, never by trust."""
