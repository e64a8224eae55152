"""Transforms of images: what torchvision's give under the same seed, and what they refuse."""

import json
import math
import re
import warnings
from pathlib import Path

import pytest

from .conftest import torch
from .golden import vision_cases

np = pytest.importorskip("numpy")
Image = pytest.importorskip("PIL.Image")
if torch.__name__ == "rushlight":
    from rushlight.vision import transforms as T
    from rushlight.vision.transforms import functional as TF
else:
    T = pytest.importorskip("torchvision.transforms")
    TF = T.functional
I = T.InterpolationMode
RECORDED = json.loads((Path(__file__).parent / "golden" / "vision.json").read_text())
ours = pytest.mark.skipif(torch.__name__ != "rushlight", reason="promised by rushlight only")


@pytest.fixture(scope="module")
def results():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dict(vision_cases.run(torch, T, TF, np, Image))


PILLOW = pytest.importorskip("PIL").__version__.partition(".")[0]


def differs(got, want, by_pillow=False):
    """What differs between two summaries, or None."""
    if isinstance(want, list) and want and isinstance(want[0], list):
        pairs = list(zip(got, want)) if isinstance(got, list) and len(got) == len(want) else [(None, want)]
        return next((d for d in (differs(g, w, by_pillow) for g, w in pairs) if d), None)
    if not isinstance(want, list) or not isinstance(got, list) or len(want) != 5 or len(got) != 5:
        return None if got == want else f"{got} is not {want}"
    # bytes made of floats: a few may be rounded the other way
    allowed = 3 if want[0] == "uint8" else 2e-6 * max(want[4], 1.0)
    # Its releases round what they interpolate each in its own way: by less than one level of brightness on average.
    if by_pillow and PILLOW != RECORDED["pillow"].partition(".")[0]:
        allowed = math.prod(want[1])
    near = abs(got[2] - want[2]) <= allowed and abs(got[3] - want[3]) <= allowed
    return None if got[:2] == want[:2] and near else f"{got} is not {want}"


@pytest.mark.parametrize("case", vision_cases.CASES)
def test_as_torchvision(case, results):
    wrong = []
    for key, got in results.items():
        if key.startswith(f"{case} | "):
            want = RECORDED[key]
            by_pillow = key.split(" | ")[-2] in ("pil", "gray")
            problem = differs(got[0], want[0], by_pillow) or (
                None if got[1] == want[1] else "another number of random draws"
            )
            if problem:
                wrong.append(f"{key}: {problem}")
    assert not wrong, "\n".join(wrong)


REPRS = """
ToTensor()
PILToTensor()
ToPILImage()
ToPILImage(mode=RGB) <- T.ToPILImage("RGB")
Normalize(mean=(0.5,), std=(0.5,)) <- T.Normalize((0.5,), (0.5,))
Resize(size=3, interpolation=bilinear, max_size=None, antialias=True) <- T.Resize(3)
CenterCrop(size=(3, 3)) <- T.CenterCrop(3)
Pad(padding=3, fill=0, padding_mode=constant) <- T.Pad(3)
RandomCrop(size=(3, 4), padding=2) <- T.RandomCrop((3, 4), 2)
RandomResizedCrop(size=(3, 3), scale=(0.08, 1.0), ratio=(0.75, 1.3333), interpolation=bilinear, antialias=True) <- T.RandomResizedCrop(3)
ColorJitter(brightness=(0.5, 1.5), contrast=(0.8, 1.2), saturation=(0.1, 0.3), hue=(-0.1, 0.1)) <- T.ColorJitter(0.5, 0.2, (0.1, 0.3), 0.1)
RandomRotation(degrees=[-15.0, 15.0], interpolation=nearest, expand=False, fill=0) <- T.RandomRotation(15)
RandomAffine(degrees=[-10.0, 10.0]) <- T.RandomAffine(10)
RandomAffine(degrees=[-10.0, 10.0], translate=(0.1, 0.2), scale=(0.5, 1.0), shear=[-5.0, 5.0], interpolation=bilinear, fill=3, center=(1, 2)) <- T.RandomAffine(10, (0.1, 0.2), (0.5, 1.0), 5, I.BILINEAR, fill=3, center=(1, 2))
RandomErasing(p=0.5, scale=(0.02, 0.33), ratio=(0.3, 3.3), value=0, inplace=False) <- T.RandomErasing()
GaussianBlur(kernel_size=(3, 3), sigma=(0.1, 2.0)) <- T.GaussianBlur(3)
RandomPosterize(bits=3,p=0.5) <- T.RandomPosterize(3)
AutoAugment(policy=AutoAugmentPolicy.IMAGENET, fill=None) <- T.AutoAugment()
TrivialAugmentWide(num_magnitude_bins=31, interpolation=InterpolationMode.NEAREST, fill=None) <- T.TrivialAugmentWide()
ElasticTransform(alpha=[50.0, 50.0], sigma=[5.0, 5.0], interpolation=InterpolationMode.BILINEAR, fill=[0.0]) <- T.ElasticTransform()
""".strip().splitlines()


@pytest.mark.parametrize("line", REPRS)
def test_repr(line):
    text, _, source = line.partition(" <- ")
    assert repr(eval(source or f"T.{text}")) == text


def test_repr_of_containers():
    inner = "    CenterCrop(size=(3, 3))\n    ToTensor()\n"
    parts = [T.CenterCrop(3), T.ToTensor()]
    assert repr(T.Compose(parts)) == f"Compose(\n{inner})"
    assert repr(T.RandomApply(parts)) == f"RandomApply(\n    p=0.5\n{inner})"
    assert repr(T.RandomChoice(parts)) == f"RandomChoice(\n{inner})(p=None)"


ERRORS = """
T.Resize((1, 2, 3)) | ValueError | should have 1 or 2 values
T.Resize((3, 4), max_size=5)(x) | ValueError | max_size should only be passed
T.CenterCrop((1, 2, 3)) | ValueError | only two dimensions
T.RandomCrop(10)(x) | ValueError | Required crop size \\(10, 10\\) is larger than input image size \\(5, 5\\)
T.ToTensor()(3) | TypeError | pic should be PIL Image or ndarray
T.ToPILImage()(torch.zeros(1, 2, 3, 4)) | ValueError | 2/3 dimensional. Got 4
T.ToPILImage()(torch.zeros(5, 3, 4)) | ValueError | 4 channels. Got 5
T.ToPILImage("L")(x) | ValueError | Only modes
T.Normalize((0.5,), (0.0,))(x) | ValueError | std evaluated to zero
T.Normalize((0.5,), (0.5,))(torch.zeros(2)) | TypeError | not a torch image
T.Normalize((0.5,), (0.5,))(x.byte()) | TypeError | should be a float tensor. Got torch.uint8
T.Normalize((0.5,), (0.5,))(3) | TypeError | img should be Tensor Image
T.RandomRotation(-3) | ValueError | must be positive
T.RandomRotation((1, 2, 3)) | ValueError | degrees should be a sequence of length 2
T.ColorJitter(-1) | ValueError | brightness is a single number, it must be non negative
T.ColorJitter(hue=0.7) | ValueError | hue values should be between
T.Pad((1, 2, 3)) | ValueError | 1, 2, or 4 element tuple, not a 3
T.Pad(1, padding_mode="foo") | ValueError | constant, edge, reflect or symmetric
T.Lambda(3) | TypeError | should be callable, got 'int'
T.RandomAffine(10, translate=(2, 3)) | ValueError | between 0 and 1
T.GaussianBlur(2) | ValueError | odd and positive
T.RandomErasing(value="foo") | ValueError | should be 'random'
T.RandomErasing(1.0, value=(1, 2))(x) | ValueError | either a single value or 3
T.LinearTransformation(torch.zeros(2, 3), torch.zeros(2)) | ValueError | should be square. Got \\(2, 3\\)
T.FiveCrop(10)(x) | ValueError | bigger than input size
T.RandomHorizontalFlip(1.0)(3) | TypeError | img should be PIL Image
T.CenterCrop(3)("a") | TypeError | Unexpected type
T.ConvertImageDtype(torch.int32)(x) | RuntimeError | cannot be performed safely
TF.posterize(x, 3) | TypeError | Only torch.uint8
TF.adjust_hue(x, 0.7) | ValueError | is not in \\[-0.5, 0.5\\]
TF.rgb_to_grayscale(x[:2]) | TypeError | permitted channel values are \\[1, 3\\], but found 2
TF.rotate(x, 1, fill=[1, 2]) | ValueError | 2 != 3
TF.rotate(x, 1, I.BICUBIC) | ValueError | unsupported with Tensor input
TF.gaussian_blur(x, 4) | ValueError | odd and positive integers. Got \\[4, 4\\]
TF.affine(x, 0, [0, 0], -1.0, [0, 0]) | ValueError | scale should be positive
""".strip().splitlines()


@pytest.mark.parametrize("line", ERRORS)
def test_errors(line):
    source, kind, pattern = (part.strip() for part in line.split("|"))
    with pytest.raises(Exception) as caught:
        eval(source, {**globals(), "x": torch.zeros(3, 5, 5)})
    assert type(caught.value).__name__ == kind, caught.value
    assert re.search(pattern, str(caught.value)), caught.value


# ---- conversions ----


def test_to_tensor_scales_bytes_only():
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    t = TF.to_tensor(pixels)
    assert t.dtype == torch.float32 and t.shape == (3, 2, 4) and t.is_contiguous()
    assert torch.equal(t, torch.from_numpy(pixels.transpose(2, 0, 1).copy()).float().div(255))
    assert torch.equal(TF.to_tensor(Image.fromarray(pixels)), t)
    assert TF.to_tensor(pixels.astype(np.float64)).dtype == torch.float64
    assert TF.to_tensor(pixels[..., 0]).shape == (1, 2, 4)


def test_to_tensor_does_not_share_memory():
    pixels = np.zeros((2, 2, 1), np.float32)
    t = TF.to_tensor(pixels)
    image = Image.fromarray(np.zeros((2, 2), np.uint8))
    p = TF.pil_to_tensor(image)
    p += 1
    assert np.asarray(image).sum() == 0 and t.sum() == 0


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I", "F", "I;16", "P"])
def test_modes_of_pil_images(mode):
    gray = Image.fromarray((np.arange(12, dtype=np.uint8) * 20).reshape(3, 4))
    image = gray.convert("I").convert(mode) if mode == "I;16" else gray.convert("RGB").convert(mode)
    t = TF.to_tensor(image)
    assert t.shape == (len(image.getbands()), 3, 4)
    expected = {"I": torch.int32, "F": torch.float32, "I;16": torch.int16}.get(mode, torch.float32)
    assert t.dtype == expected
    if mode not in ("1", "P", "I", "F", "I;16"):
        back = TF.to_pil_image(t, mode)
        assert back.mode == mode and np.asarray(back).tolist() == np.asarray(image).tolist()
    elif mode in ("I", "F", "I;16"):
        assert np.asarray(TF.to_pil_image(t, mode)).tolist() == np.asarray(image).tolist()


def test_old_numbers_of_interpolation():
    assert T.Resize(3, 2).interpolation is I.BILINEAR
    assert T.Resize(3, Image.Resampling.NEAREST).interpolation is I.NEAREST


def test_gradients_go_through_tensors():
    x = torch.rand(3, 6, 6, requires_grad=True)
    pipeline = T.Compose([T.CenterCrop(4), T.Pad(1), T.Normalize((0.5,), (0.5,))])
    pipeline(x).sum().backward()
    assert x.grad[:, 1:5, 1:5].eq(2).all() and x.grad.sum() == 3 * 16 * 2


def test_transforms_that_are_modules_fit_into_sequential():
    model = torch.nn.Sequential(T.CenterCrop(4), T.ConvertImageDtype(torch.float32), T.Normalize((0.5,), (0.5,)))
    assert model(torch.zeros(3, 8, 8, dtype=torch.uint8)).eq(-1).all()


def test_linear_transformation():
    t = T.LinearTransformation(torch.eye(4) * 2, torch.ones(4))
    assert t(torch.full((1, 2, 2), 3.0)).eq(4).all()


def test_get_params_are_public():
    torch.manual_seed(0)
    image = torch.zeros(3, 10, 12)
    assert T.RandomCrop.get_params(image, (10, 12)) == (0, 0, 10, 12)
    i, j, h, w = T.RandomCrop.get_params(image, output_size=(5, 5))
    assert 0 <= i <= 5 and 0 <= j <= 7 and (h, w) == (5, 5)
    assert -15 <= T.RandomRotation.get_params([-15, 15]) <= 15


@ours
def test_names_that_are_not_there():
    with pytest.raises(AttributeError, match="did you mean torchvision.transforms.Resize"):
        T.Resise  # noqa: B018


# ---- version 2 ----


@ours
def test_version_2_takes_structures():
    from rushlight.vision.transforms import v2

    x = torch.arange(64.0).reshape(1, 8, 8)
    image = Image.fromarray(x[0].numpy().astype(np.uint8))
    crop = v2.RandomCrop(4)
    torch.manual_seed(0)
    first = crop(x)
    torch.manual_seed(0)
    out, label = crop(x, 3)
    assert torch.equal(out, first) and label == 3
    torch.manual_seed(0)
    sample = crop({"a": image, "b": [image, "text"], "mask": x})
    assert np.asarray(sample["a"]).tolist() == np.asarray(sample["b"][0]).tolist() == first[0].tolist()
    assert sample["b"][1] == "text" and sample["mask"] is x


@ours
def test_version_2_conversions():
    from rushlight.vision.transforms import v2

    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    pipeline = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
    for image in (pixels, Image.fromarray(pixels)):
        out, label = pipeline(image, torch.tensor(1))
        assert torch.equal(out, TF.to_tensor(pixels)) and label == 1
    assert v2.RGB()(out[:1]).shape == (3, 2, 4)
    with pytest.raises(NotImplementedError, match="v2.SanitizeBoundingBoxes"):
        v2.SanitizeBoundingBoxes  # noqa: B018


@ours
def test_mixing_batches():
    v2 = pytest.importorskip("rushlight.vision.transforms.v2")
    x, y = torch.rand(4, 3, 8, 8), torch.tensor([0, 1, 2, 1])
    for mix in (v2.MixUp(num_classes=3), v2.CutMix(num_classes=3)):
        out, labels = mix(x, y)
        assert out.shape == x.shape and labels.shape == (4, 3) and torch.allclose(labels.sum(1), torch.ones(4))


@ours
def test_version_2_says_what_it_cannot_take():
    from rushlight.vision.transforms import v2

    with pytest.raises(TypeError, match="No image was found in the sample: RandomCrop .* got ndarray"):
        v2.RandomCrop(2)(np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(ValueError, match="interval .0.0, 1.0., got 1.5"):
        v2.RandomInvert(p=1.5)
    with pytest.raises(ValueError, match="Gaussian noise is for tensors"):
        v2.GaussianNoise()(Image.new("RGB", (2, 2)))
    with pytest.raises(TypeError, match="threshold 2 is more than 1"):
        v2.functional.solarize(torch.zeros(1, 2, 2), 2)
    assert repr(v2.RandomPerspective(0.4)) == (
        "RandomPerspective(p=0.5, distortion_scale=0.4, interpolation=bilinear, fill=0)"
    )


@ours
def test_places_of_doubles_are_doubles():
    x = torch.rand(1, 9, 7, dtype=torch.float64)
    turned = TF.rotate(TF.rotate(x, 90, I.BILINEAR, expand=True), -90, I.BILINEAR, expand=True)
    assert (turned - x).abs().max() < 1e-12
