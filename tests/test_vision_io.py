"""Image files, pictures of many images, boxes, and the name torchvision."""

import io as python_io
import re
import subprocess
import sys

import pytest

from .conftest import ROOT, torch

np = pytest.importorskip("numpy")
Image = pytest.importorskip("PIL.Image")
if torch.__name__ != "rushlight":
    pytest.skip("torchvision's own needs its compiled part", allow_module_level=True)
from rushlight.vision import io, ops, utils

PIXELS = (torch.arange(3 * 6 * 7) * 2 % 256).reshape(3, 6, 7).to(torch.uint8)


# ---- files ----


def test_png_there_and_back(tmp_path):
    path = str(tmp_path / "x.png")
    io.write_png(PIXELS, path)
    assert torch.equal(io.read_image(path), PIXELS)
    assert torch.equal(io.decode_image(io.read_file(path)), PIXELS)
    assert torch.equal(io.decode_png(io.encode_png(PIXELS[:1])), PIXELS[:1])
    assert io.read_image(path, io.ImageReadMode.GRAY).shape == (1, 6, 7)
    assert io.read_image(path, "RGB_ALPHA")[3].eq(255).all()


def test_jpeg_is_near(tmp_path):
    flat = torch.full((3, 16, 16), 120, dtype=torch.uint8)
    io.write_jpeg(flat, str(tmp_path / "x.jpg"), quality=95)
    assert (io.read_image(tmp_path / "x.jpg").int() - 120).abs().max() <= 2
    assert io.decode_jpeg([io.encode_jpeg(flat)] * 2)[1].shape == (3, 16, 16)


def test_files_that_are_no_images(tmp_path):
    (tmp_path / "x.png").write_bytes(b"no image")
    with pytest.raises(RuntimeError, match="cannot be decoded"):
        io.read_image(tmp_path / "x.png")
    with pytest.raises(RuntimeError, match="No such file"):
        io.read_image(tmp_path / "nope.png")
    data = io.encode_png(PIXELS)
    with pytest.raises(RuntimeError, match="cannot be decoded"):
        io.decode_image(data[: len(data) // 2])
    with pytest.raises(RuntimeError, match="uint8"):
        io.encode_png(PIXELS.float())


def test_the_camera_may_have_been_turned(tmp_path):
    image = Image.fromarray(PIXELS.permute(1, 2, 0).numpy())
    exif = Image.Exif()
    exif[274] = 6  # turned by a quarter
    image.save(tmp_path / "x.png", exif=exif)
    assert io.read_image(tmp_path / "x.png").shape == (3, 6, 7)
    assert io.read_image(tmp_path / "x.png", apply_exif_orientation=True).shape == (3, 7, 6)


# ---- pictures of many images ----


@pytest.mark.parametrize(
    "shape, kwargs, expected",
    [
        ((5, 3, 4, 4), {}, (3, 8, 32)),
        ((5, 3, 4, 4), {"nrow": 2, "padding": 1, "pad_value": 0.5}, (3, 16, 11)),
        ((10, 1, 4, 4), {"nrow": 4}, (3, 20, 26)),
        ((4, 4), {}, (3, 4, 4)),
        ((1, 4, 4), {}, (3, 4, 4)),
        ((1, 3, 4, 4), {}, (3, 4, 4)),
    ],
)
def test_make_grid(shape, kwargs, expected):
    x = torch.rand(*shape)
    grid = utils.make_grid(x, **kwargs)
    assert grid.shape == expected
    if len(shape) == 4 and shape[0] > 1:
        pad, columns = kwargs.get("padding", 2), min(kwargs.get("nrow", 8), shape[0])
        i = shape[0] - 1
        top, left = i // columns * (4 + pad) + pad, i % columns * (4 + pad) + pad
        assert torch.equal(grid[:, top : top + 4, left : left + 4], x[i].expand(3, -1, -1))
        assert grid[0, 0, 0] == kwargs.get("pad_value", 0.0)


def test_make_grid_normalizes():
    x = torch.tensor([[[[0.0, 2.0]]], [[[4.0, 8.0]]]])
    assert utils.make_grid(x, padding=0, normalize=True)[0].tolist() == [[0.0, 0.25, 0.5, 1.0]]
    assert utils.make_grid(x, padding=0, normalize=True, scale_each=True)[0].tolist() == [[0.0, 1.0, 0.0, 1.0]]
    assert utils.make_grid(x, padding=0, normalize=True, value_range=(0, 4))[0].tolist() == [[0.0, 0.5, 1.0, 1.0]]
    with pytest.raises(TypeError, match="tensor or list of tensors expected"):
        utils.make_grid(3)
    for shape, nrow in (((1, 2, 3, 4, 5), 8), ((6,), 8), ((0, 3, 4, 4), 8), ((2, 3, 4, 4), 0)):
        with pytest.raises(ValueError, match=rf"got {re.escape(str(shape))} and nrow={nrow}"):
            utils.make_grid(torch.zeros(shape), nrow=nrow)


def test_save_image(tmp_path):
    utils.save_image(PIXELS.float() / 255, tmp_path / "x.png")
    assert torch.equal(io.read_image(tmp_path / "x.png"), PIXELS)
    buffer = python_io.BytesIO()
    utils.save_image([PIXELS.float() / 255] * 3, buffer, format="PNG", nrow=2)
    assert Image.open(buffer).size == (2 + 2 * 9, 2 + 2 * 8)


def test_drawings():
    black = torch.zeros(3, 20, 20, dtype=torch.uint8)
    boxes = torch.tensor([[2, 3, 10, 12]])
    out = utils.draw_bounding_boxes(black, boxes, colors="red", labels=["a"])
    assert out[0, 3, 2:11].eq(255).all() and out[1, 3, 2:11].eq(0).all() and out[0, 15:].eq(0).all()
    assert utils.draw_bounding_boxes(black.float(), boxes, colors=[(0, 0, 255)])[2, 12, 5] == 1
    mask = torch.zeros(20, 20, dtype=torch.bool)
    mask[5:8] = True
    out = utils.draw_segmentation_masks(black, mask, alpha=1.0, colors="#00ff00")
    assert out[1, 6].eq(255).all() and out.sum() == 255 * 60
    out = utils.draw_keypoints(black, torch.tensor([[[5.0, 5.0], [10.0, 5.0]]]), colors="blue", connectivity=[(0, 1)])
    assert out[2, 5, 5] == 255
    twice = utils.draw_segmentation_masks(black + 9, torch.stack((mask, mask)), alpha=1.0, colors=["red", "blue"])
    assert twice[:, 6].eq(0).all() and twice[:, 0].eq(9).all()
    for image, masks in ((black[:1], mask), (black[None], mask), (black, mask[None, None])):
        with pytest.raises(ValueError, match="RGB image|must be of shape"):
            utils.draw_segmentation_masks(image, masks)
    with pytest.raises(ValueError, match=r"keypoints must be of shape \(num_instances, K, 2\), got \(3, 2\)"):
        utils.draw_keypoints(black, torch.zeros(3, 2))
    with pytest.raises(ValueError, match="colors must be"):
        utils.draw_bounding_boxes(black, boxes, colors=5)
    with pytest.raises(ValueError, match="xmin, ymin, xmax, ymax"):
        utils.draw_bounding_boxes(black, torch.tensor([[3, 3, 1, 1]]))


# ---- boxes ----


def test_boxes():
    a = torch.tensor([[0.0, 0.0, 2.0, 2.0], [1.0, 1.0, 3.0, 4.0]])
    b = torch.tensor([[1.0, 0.0, 3.0, 2.0]])
    assert ops.box_area(a).tolist() == [4.0, 6.0]
    assert torch.allclose(ops.box_iou(a, b), torch.tensor([[1 / 3], [2 / 8]]))
    assert torch.allclose(ops.generalized_box_iou(a, b), torch.tensor([[1 / 3], [2 / 8]]))
    assert torch.allclose(ops.distance_box_iou(a, b), torch.tensor([[1 / 3 - 1 / 13], [1 / 4 - 2.25 / 20]]))
    for fmt in ("xywh", "cxcywh"):
        assert torch.equal(ops.box_convert(ops.box_convert(a, "xyxy", fmt), fmt, "xyxy"), a)
    assert ops.clip_boxes_to_image(a, (2, 2)).max() == 2
    assert ops.remove_small_boxes(a, 3).tolist() == []
    assert ops.masks_to_boxes(torch.eye(4)[None, 1:3]).tolist() == [[1.0, 0.0, 2.0, 1.0]]


def test_nms_against_its_definition():
    torch.manual_seed(0)
    corner, size = torch.rand(60, 2) * 10, torch.rand(60, 2) * 5 + 0.5
    boxes, scores = torch.cat((corner, corner + size), 1), torch.rand(60)
    iou = ops.box_iou(boxes, boxes)
    kept = []
    for i in scores.argsort(descending=True).tolist():
        if all(iou[i, j] <= 0.3 for j in kept):
            kept.append(i)
    assert ops.nms(boxes, scores, 0.3).tolist() == kept
    classes = torch.arange(60) % 3
    apart = {
        i
        for c in range(3)
        for i in torch.where(classes == c)[0][ops.nms(boxes[classes == c], scores[classes == c], 0.3)].tolist()
    }
    assert set(ops.batched_nms(boxes, scores, classes, 0.3).tolist()) == apart


@pytest.mark.parametrize("kind", ["generalized", "distance", "complete"])
def test_losses_of_boxes_are_1_minus_their_measure(kind):
    corners = torch.rand(6, 2, 4, dtype=torch.float64)
    a, b = torch.cat((corners[..., :2], corners[..., :2] + corners[..., 2:]), -1).unbind(1)
    a.requires_grad_()
    loss = getattr(ops, f"{kind}_box_iou_loss")
    measure = getattr(ops, f"{kind}_box_iou")(a, b).diagonal()
    assert torch.allclose(loss(a, b), 1 - measure, atol=1e-5)
    assert torch.allclose(loss(a, b, "mean"), loss(a, b, reduction="sum") / 6)
    assert torch.autograd.grad(loss(a, b, "sum"), a)[0].isfinite().all()
    assert loss(a[:0], b[:0], "mean") == 0
    with pytest.raises(ValueError, match="none.*mean.*sum"):
        loss(a, b, "max")


def test_a_frozen_norm_loads_what_a_norm_has_learned():
    norm = torch.nn.BatchNorm2d(3)
    norm(torch.rand(2, 3, 4, 4))
    frozen = ops.FrozenBatchNorm2d(3)
    frozen.load_state_dict(norm.state_dict())
    x = torch.rand(2, 3, 4, 4)
    assert torch.allclose(frozen(x), norm.eval()(x), atol=1e-6)


def test_focal_loss_with_gamma_0_is_cross_entropy():
    x, y = torch.randn(10), (torch.arange(10) % 2).float()
    expected = torch.nn.functional.binary_cross_entropy_with_logits(x, y)
    assert torch.allclose(ops.sigmoid_focal_loss(x, y, alpha=-1, gamma=0, reduction="mean"), expected)


# ---- served as torchvision ----

SCRIPT = """
import torch
import torchvision
import torchvision.transforms as transforms
import torchvision.transforms.functional as TF
from torchvision import datasets, models, utils
from torchvision.transforms import v2
from torchvision.models.resnet import BasicBlock
print(torchvision.__version__.split("+")[0], transforms.functional is TF, models.resnet.BasicBlock is BasicBlock)
print(torchvision.datasets.MNIST.__name__, torch.__spec__.name)
try:
    import torchvision.prototype
except ModuleNotFoundError as error:
    print(error)
"""


def test_served_as_torchvision(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "-m", "rushlight", str(script)], capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "0.28.0 True True" and lines[1] == "MNIST rushlight"
    assert "torchvision.prototype" in lines[2]


def test_importing_vision_imports_neither_numpy_nor_pillow():
    code = "import sys, rushlight.vision.transforms, rushlight.vision.datasets; print({'PIL', 'numpy'} & {m.partition('.')[0] for m in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.stdout.strip() == "set()", done.stderr
