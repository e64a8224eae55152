"""Packing of padded sequences; what nn.utils.rnn is made of."""

from __future__ import annotations

import itertools
from typing import Any

from rushlight import _C
from rushlight._composite import composite


@composite("_pack_padded_sequence(Tensor input, Tensor lengths, bool batch_first) -> (Tensor, Tensor)", method=False)
def _pack_padded_sequence(input: Any, lengths: Any, batch_first: bool) -> tuple[Any, Any]:
    """The elements of padded sequences, step after step, and how many sequences each step has."""
    if batch_first:
        input = input.transpose(0, 1)
    counts = lengths.tolist()
    if input.numel() == 0:
        raise RuntimeError("Cannot pack empty tensors.")
    if len(counts) != input.size(1):
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(counts)} (batch_size={input.size(1)})"
        )
    if min(counts) <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    if any(a < b for a, b in itertools.pairwise(counts)):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you "
            "do not need ONNX exportability."
        )
    if counts[0] > input.size(0):
        raise RuntimeError(
            f"Expected lengths of at most {input.size(0)}, the number of steps of the input, but got {counts[0]}"
        )
    present = _C.arange(counts[0]).unsqueeze(1) < lengths
    return input[: counts[0]][present], present.sum(1)


@composite(
    "_pad_packed_sequence(Tensor data, Tensor batch_sizes, bool batch_first, Scalar padding_value, int total_length) "
    "-> (Tensor, Tensor)",
    method=False,
)
def _pad_packed_sequence(
    data: Any, batch_sizes: Any, batch_first: bool, padding_value: float, total_length: int
) -> tuple[Any, Any]:
    """Packed sequences as a padded batch, and their lengths."""
    batch = int(batch_sizes[0])
    present = _C.arange(batch) < batch_sizes.unsqueeze(1)
    lengths = present.sum(0)
    steps = max(total_length, batch_sizes.size(0))
    padded = _C.full((steps, batch, *data.shape[1:]), padding_value, dtype=data.dtype, device=data.device)
    if steps > batch_sizes.size(0):
        present = _C.cat([present, _C.zeros(steps - batch_sizes.size(0), batch, dtype=_C.bool)])
    padded = padded.index_put((present,), data)
    return (padded.transpose(0, 1) if batch_first else padded), lengths
