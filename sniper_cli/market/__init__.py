"""Markets as they are seen: instruments, prices and books. So far the simulated one."""
