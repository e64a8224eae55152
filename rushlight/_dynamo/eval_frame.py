"""Where PyTorch keeps the module that `torch.compile` makes."""

from rushlight._dynamo import OptimizedModule, is_dynamo_supported

__all__ = ["OptimizedModule", "is_dynamo_supported"]
