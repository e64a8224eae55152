"""Fourier transforms, short-time spectra and windows."""

import pytest

from .conftest import CANDIDATE, torch

# Made by running the tests below on PyTorch.
STFT = [
    4.0,
    0.0,
    6.0,
    0.0,
    14.0,
    0.0,
    22.0,
    0.0,
    24.0,
    0.0,
    2.0,
    0.0,
    -2.0,
    2.0,
    -2.0,
    2.0,
    -2.0,
    2.0,
    0.0,
    -2.0,
    0.0,
    0.0,
    -2.0,
    0.0,
    -2.0,
    0.0,
    -2.0,
    0.0,
    0.0,
    0.0,
]
WINDOWS = [
    3.0,
    3.4286,
    2.52,
    2.94,
    4.494,
    4.9307,
    2.106,
    1.8537,
    2.5059,
    2.5044,
    3.32,
    3.78,
    3.32,
    3.78,
    3.0,
    3.5,
    2.1473,
    2.5051,
    2.1819,
    2.5451,
]


def test_fft_gradients():
    x = torch.rand(2, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda t: torch.fft.irfft(torch.fft.rfft(t) * 2, n=5).abs(), (x,))
    assert torch.fft.fft(torch.tensor([1.0, 0, 0, 0])).tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"hop_length": 3},
        {"normalized": True},
        {"center": False},
        {"onesided": False},
        {"hop_length": 2, "win_length": 10},
    ],
)
def test_stft_and_back(options):
    x = torch.sin(torch.arange(2 * 60, dtype=torch.float64).reshape(2, 60) ** 1.5)
    size = options.get("win_length", 16)
    window = torch.hamming_window(size, dtype=torch.float64)
    spectrum = torch.stft(x, 16, window=window, return_complex=True, **options)
    frames = 1 + (60 - (16 if options.get("center") is False else 0)) // options.get("hop_length", 4)
    assert spectrum.shape == (2, 16 if options.get("onesided") is False else 9, frames)
    back = torch.istft(spectrum, 16, window=window, **options)
    assert torch.allclose(back, x[:, : back.shape[1]]) and back.shape[1] > 50
    assert torch.allclose(x[0].stft(16, window=window, return_complex=True, **options), spectrum[0])


@pytest.mark.filterwarnings("ignore:A window was not provided")
def test_stft_values_and_errors():
    x = torch.arange(8.0)
    got = torch.view_as_real(torch.stft(x, 4, hop_length=2, return_complex=True))
    assert torch.allclose(got.reshape(-1), torch.tensor(STFT), atol=1e-5)
    x = torch.rand(32, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: torch.stft(x, 8, return_complex=True).abs(), (x,))
    for options in ({"win_length": 20}, {"hop_length": 0}, {"return_complex": None}):
        with pytest.raises(RuntimeError):
            torch.stft(torch.rand(30), 16, **{"return_complex": True, **options})
    with pytest.raises(RuntimeError, match="complex-valued"):
        torch.istft(torch.rand(9, 5), 16)


def test_windows():
    windows = torch.signal.windows
    sums = [
        round(getattr(windows, name)(7, sym=sym).sum().item(), 4)
        for name in (
            "bartlett", "blackman", "cosine", "exponential", "gaussian", "general_hamming", "hamming", "hann",
            "kaiser", "nuttall",
        )
        for sym in (True, False)
    ]  # fmt: skip
    assert sums == WINDOWS
    assert windows.general_cosine(5, a=[0.46, 0.23, 0.31]).tolist() == pytest.approx([0.54, 0.15, 1.0, 0.15, 0.54])
    assert windows.hann(0).shape == (0,) and windows.kaiser(1).tolist() == [1.0]
    with pytest.raises(ValueError):
        windows.gaussian(5, std=-1.0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
@pytest.mark.parametrize("size", [1, 8, 9])
def test_transforms_of_real_tensors_are_halves_of_whole_ones(dtype, norm, size):
    near = {"rtol": 1e-5 if dtype == torch.float32 else 1e-11, "atol": 1e-5 if dtype == torch.float32 else 1e-11}
    x = torch.randn(3, 6, size, dtype=dtype, requires_grad=True)
    half, whole = torch.fft.rfft2(x, norm=norm), torch.fft.fft2(x, norm=norm)[..., : size // 2 + 1]
    torch.testing.assert_close(half, whole, **near)
    w = torch.randn_like(half)
    gradients = [torch.autograd.grad((y * w).abs().square().sum(), x)[0] for y in (half, whole)]
    torch.testing.assert_close(*gradients, **near)
    back = torch.fft.irfft2(half, s=(6, size), norm=norm)
    torch.testing.assert_close(back, x, **near)
    assert half.grad_fn.name() == "FftR2CBackward0" and back.grad_fn.name() == "FftC2RBackward0"
    torch.testing.assert_close(
        torch.fft.ihfft(x, norm=norm), torch.fft.ifft(x, norm=norm)[..., : size // 2 + 1], **near
    )
    if dtype == torch.float64 and size > 1:
        assert torch.autograd.gradcheck(
            lambda z: torch.fft.irfft2(z, s=(6, size), norm=norm), half.detach().requires_grad_()
        )
        assert torch.autograd.gradgradcheck(lambda z: torch.fft.rfft2(z, norm=norm).abs().square().sum(), x)


@pytest.mark.parametrize("name", ["fft", "rfft", "hfft", "irfft", "fft2", "rfftn"])
def test_transforms_of_integers_are_rounded_once(name):
    x = (torch.arange(56) * 37 % 19 - 9).reshape(7, 8)
    f = getattr(torch.fft, name)
    got, exact = f(x), f(x.double())
    assert torch.equal(got, exact.to(got.dtype)) or CANDIDATE == "torch"
    torch.testing.assert_close(got.to(exact.dtype), exact, rtol=1e-5, atol=1e-5)
