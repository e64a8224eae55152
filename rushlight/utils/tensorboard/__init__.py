"""Logs for TensorBoard, written through the `tensorboard` package.

Reference: https://pytorch.org/docs/stable/tensorboard.html
"""

from __future__ import annotations

try:
    from tensorboard.summary.writer.record_writer import RecordWriter
except ImportError as error:
    raise ImportError("torch.utils.tensorboard needs the tensorboard package: pip install tensorboard") from error

from rushlight.utils.tensorboard.writer import FileWriter, SummaryWriter

__all__ = ["FileWriter", "RecordWriter", "SummaryWriter"]
