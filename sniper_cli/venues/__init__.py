"""Where orders go: one protocol; a paper market and EVM pools behind it."""
