"""Whether uninitialised memory is filled while deterministic algorithms are asked for: kept, without effect."""

fill_uninitialized_memory = True
