"""PyTorch's own operator samples, run against rushlight."""
