"""What is tried out for `torch.fx`."""
