"""The order desk: the one path of every order, from intent to audit."""
