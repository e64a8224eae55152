"""The functions of rushlight.nn.functional, by family."""
