"""Limits on what an account may do, and the switch that lets only reductions pass."""
