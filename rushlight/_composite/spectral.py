"""Short-time Fourier transforms."""

from __future__ import annotations

from typing import Any

from rushlight import _C, fft
from rushlight._autocast import in_float32
from rushlight._composite import composite
from rushlight._switches import warn_once


def _window_of(name: str, window: Any, n_fft: int, win_length: int, like: Any) -> Any:
    """The window, in the middle of a frame; zeros around it."""
    if window is None:
        window = _C.ones(win_length, dtype=like.dtype)
    elif window.dim() != 1 or window.size(0) != win_length:
        raise RuntimeError(
            f"{name}: expected a 1D window tensor of size equal to win_length={win_length}, but got window with size "
            f"{list(window.shape)}"
        )
    if win_length == n_fft:
        return window
    left = (n_fft - win_length) // 2
    return _C.constant_pad_nd(window, (left, n_fft - win_length - left))


@composite(
    "stft(Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool center=True, "
    'str pad_mode="reflect", bool normalized=False, bool? onesided=None, bool? return_complex=None, '
    "bool? align_to_window=None) -> Tensor"
)
@in_float32
def stft(
    input: Any,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Any = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: bool | None = None,
    return_complex: bool | None = None,
    align_to_window: bool | None = None,
) -> Any:
    """Fourier transforms of overlapping frames of a signal.

    Args:
        input: (L) or (B, L).
        n_fft: how long a frame is.
        hop_length: from one frame to the next; by default a quarter of n_fft.
        win_length, window: what each frame is multiplied with; by default ones.
        center: frames are centred at multiples of hop_length, the signal being padded on both sides.
        pad_mode: how, as in `nn.functional.pad`.
        normalized: divide by the root of n_fft.
        onesided: only the frequencies from 0 to the half; by default for real signals.
        return_complex: True, or the last axis holds real and imaginary part. Must be given for real signals.
        align_to_window: without `center`, frames are padded so that windows, not frames, start at multiples.

    Returns:
        (B, N, T): frequencies, frames.

    Raises:
        RuntimeError: sizes that do not fit each other.

    >>> torch.stft(torch.ones(16), 8, window=torch.hann_window(8), return_complex=True).shape
    torch.Size([5, 9])

    Reference: https://pytorch.org/docs/stable/generated/torch.stft.html
    """
    hop_length = n_fft // 4 if hop_length is None else hop_length
    win_length = n_fft if win_length is None else win_length
    is_complex = input.is_complex() or (window is not None and window.is_complex())
    if return_complex is None and not is_complex:
        raise RuntimeError(
            "stft requires the return_complex parameter be given for real inputs, and will further require that return_complex=True in a future PyTorch release."
        )
    if not (input.is_floating_point() or input.is_complex()):
        raise RuntimeError(f"stft({input.dtype}): expected a tensor of floating point or complex values")
    if input.dim() not in (1, 2):
        raise RuntimeError(f"stft: expected a 1D or 2D tensor, but got shape {list(input.shape)}")
    if align_to_window is not None and center:
        raise RuntimeError("stft: align_to_window should only be set when center = false.")
    if window is None:
        warn_once(
            "A window was not provided. A rectangular window will be applied, which is known to cause spectral leakage: "
            "window=torch.hann_window(win_length) is the usual one, window=torch.ones(win_length) says that this is meant."
        )
    signal = input if input.dim() == 2 else input.unsqueeze(0)
    if center:
        from rushlight.nn.functional import pad

        signal = pad(signal.unsqueeze(0), (n_fft // 2, n_fft // 2), pad_mode).squeeze(0)
    elif align_to_window:
        side = (n_fft - win_length) // 2
        signal = _C.constant_pad_nd(signal, (side, side))
    if not 0 < n_fft <= signal.size(1):
        raise RuntimeError(f"stft: expected 0 < n_fft <= {signal.size(1)}, but got n_fft={n_fft}")
    if hop_length <= 0:
        raise RuntimeError(f"stft: expected hop_length > 0, but got hop_length={hop_length}")
    if not 0 < win_length <= n_fft:
        raise RuntimeError(f"stft: expected 0 < win_length <= n_fft={n_fft}, but got win_length={win_length}")
    frames = signal.unfold(1, n_fft, hop_length)
    if window is not None or win_length < n_fft:
        frames = frames * _window_of("stft", window, n_fft, win_length, input)
    if onesided is None:
        onesided = not is_complex
    if onesided and is_complex:
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    norm = "ortho" if normalized else None
    spectrum = (fft.rfft if onesided else fft.fft)(frames, dim=-1, norm=norm).transpose(1, 2)
    if input.dim() == 1:
        spectrum = spectrum.squeeze(0)
    return spectrum if return_complex or return_complex is None else _C.view_as_real(spectrum.contiguous())


@composite(
    "istft(Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool center=True, "
    "bool normalized=False, bool? onesided=None, int? length=None, bool return_complex=False) -> Tensor"
)
@in_float32
def istft(
    input: Any,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Any = None,
    center: bool = True,
    normalized: bool = False,
    onesided: bool | None = None,
    length: int | None = None,
    return_complex: bool = False,
) -> Any:
    """The signal whose `stft` this is (the nearest, where there is none): frames are added up and divided by the windows.

    Args:
        input: complex, (N, T) or (B, N, T).
        n_fft, hop_length, win_length, window, center, normalized, onesided: those of `stft`.
        length: of the signal; by default as far as frames reach.
        return_complex: the signal was complex.

    Raises:
        RuntimeError: sizes that do not fit, or windows that leave samples out.

    >>> x, window = torch.randn(16), torch.hann_window(8)
    >>> spectrum = torch.stft(x, 8, window=window, return_complex=True)
    >>> torch.allclose(torch.istft(spectrum, 8, window=window), x, atol=1e-5)
    True

    Reference: https://pytorch.org/docs/stable/generated/torch.istft.html
    """
    hop_length = n_fft // 4 if hop_length is None else hop_length
    win_length = n_fft if win_length is None else win_length
    if not input.is_complex():
        raise RuntimeError(
            "istft requires a complex-valued input tensor matching the output from stft with return_complex=True."
        )
    if input.numel() == 0:
        raise RuntimeError("istft: input tensor cannot be empty.")
    if input.dim() not in (2, 3):
        raise RuntimeError(f"istft: expected a tensor with 2 or 3 dimensions, but got {input.dim()}")
    if onesided is None:
        onesided = input.size(-2) != n_fft
    wanted = n_fft // 2 + 1 if onesided else n_fft
    if input.size(-2) != wanted:
        raise RuntimeError(
            f"istft: expected the frequency dimension (3rd to the last) of the input tensor to match {wanted}, "
            f"but got {input.size(-2)} (n_fft={n_fft}, onesided={onesided})"
        )
    if not 0 < hop_length <= win_length <= n_fft:
        raise RuntimeError(
            f"istft: expected 0 < hop_length <= win_length <= n_fft, but got {hop_length}, {win_length} and {n_fft}"
        )
    if length is not None and length < 0:
        raise RuntimeError(f"istft: expected a length of at least 0, but got length={length}")
    if window is None:
        warn_once(
            "A window was not provided. A rectangular window will be applied. Please provide the same window that stft() "
            "was given, or torch.ones(win_length) if it was given none."
        )
    spectrum = (input if input.dim() == 3 else input.unsqueeze(0)).transpose(1, 2)
    norm = "ortho" if normalized else None
    if return_complex:
        if onesided:
            raise RuntimeError("istft: complex output is not compatible with onesided=True")
        frames = fft.ifft(spectrum, n_fft, dim=-1, norm=norm)
    elif onesided:
        frames = fft.irfft(spectrum, n_fft, dim=-1, norm=norm)
    else:
        frames = fft.ifft(spectrum, n_fft, dim=-1, norm=norm).real
    weight = _window_of("istft", window, n_fft, win_length, frames)
    count = frames.size(1)
    total = n_fft + hop_length * (count - 1)
    places = (_C.arange(count) * hop_length).unsqueeze(1) + _C.arange(n_fft)
    places = places.reshape(-1)
    batch = frames.size(0)
    weighted = (frames * weight).reshape(batch, -1)
    added = _C.zeros(batch, total, dtype=weighted.dtype).index_add(1, places, weighted)
    power = (weight * weight).expand(count, n_fft).reshape(-1)
    envelope = _C.zeros(total, dtype=power.dtype).index_add(0, places, power)
    start = n_fft // 2 if center else 0
    end = start + length if length is not None else total - (n_fft // 2 if center else 0)
    added, envelope = added[:, start : min(end, total)], envelope[start : min(end, total)]
    lowest = envelope.abs().min().item() if envelope.numel() else 1.0
    if lowest <= 1e-11:
        raise RuntimeError(f"window overlap add min: {lowest}: the windows leave samples out")
    signal = added / envelope
    if end > total:
        signal = _C.constant_pad_nd(signal, (0, end - total))
    return signal if input.dim() == 3 else signal.squeeze(0)
