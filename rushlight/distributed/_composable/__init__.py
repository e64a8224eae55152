"""Where `torch.distributed.fsdp` was tried out."""
