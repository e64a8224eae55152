"""SummaryWriter: what TensorBoard's own reader finds in the files."""

import builtins
import importlib
import io
import os
import sys

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from .conftest import CANDIDATE, torch

SummaryWriter = importlib.import_module(f"{CANDIDATE}.utils.tensorboard").SummaryWriter


def read(folder):
    found = EventAccumulator(str(folder), size_guidance={"scalars": 0, "histograms": 0, "images": 0, "tensors": 0})
    found.Reload()
    return found


def test_scalars(tmp_path):
    with SummaryWriter(tmp_path) as writer:
        for step in range(20):
            writer.add_scalar("loss/train", torch.tensor(1 / (step + 1)), step, walltime=100.0 + step)
        writer.add_scalar("np", np.float64(2))
        writer.add_scalars("both", {"a": 1, "b": torch.ones(1)}, 7)
        with pytest.raises(ValueError):
            writer.add_scalar("two", torch.ones(2))
        assert writer.get_logdir() == str(tmp_path)
    events = read(tmp_path).Scalars("loss/train")
    assert [e.step for e in events] == list(range(20)) and events[3].wall_time == 103.0
    assert [e.value for e in events] == pytest.approx([1 / (s + 1) for s in range(20)])
    assert [read(tmp_path / f"both_{name}").Scalars("both")[0].step for name in "ab"] == [7, 7]


def test_histogram(tmp_path):
    with SummaryWriter(tmp_path) as writer:
        writer.add_histogram("h", torch.tensor([[-1.0, 0.0], [0.5, 3.0]]), 2)
        writer.add_histogram("auto", np.arange(100), bins=10, max_bins=5)
        writer.add_histogram("half", torch.ones(3, dtype=torch.bfloat16))
        with pytest.raises(ValueError, match="no element"):
            writer.add_histogram("empty", torch.zeros(0))
    found = read(tmp_path)
    (event,) = found.Histograms("h")
    h = event.histogram_value
    assert (h.min, h.max, h.num, h.sum, h.sum_squares) == (-1.0, 3.0, 4.0, 2.5, 10.25)
    assert sum(h.bucket) == 4 and len(h.bucket) == len(h.bucket_limit) and h.bucket[0] == 0
    assert h.bucket_limit[0] <= -1 < h.bucket_limit[1] and h.bucket_limit[-2] <= 3 < h.bucket_limit[-1]
    assert sum(found.Histograms("auto")[0].histogram_value.bucket) == 100


def pixels(found, tag):
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(found.Images(tag)[0].encoded_image_string)))


def test_pictures(tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    picture = torch.arange(3 * 4 * 5).reshape(3, 4, 5) / 59
    many = torch.stack([torch.full((1, 2, 3), i / 9) for i in range(10)])
    figure = plt.figure(figsize=(1, 2), dpi=50)
    with SummaryWriter(tmp_path) as writer:
        writer.add_image("chw", picture)
        writer.add_image("hwc", (picture * 255).byte().permute(1, 2, 0), dataformats="HWC")
        writer.add_image("hw", picture[0], dataformats="HW")
        writer.add_images("many", many)
        writer.add_figure("figure", figure)
        writer.add_image_with_boxes("boxes", torch.zeros(3, 20, 20), torch.tensor([[2, 3, 15, 17]]), labels=["a"])
        with pytest.raises(AssertionError):
            writer.add_image("wrong", picture, dataformats="HW")
    found = read(tmp_path)
    expected = (picture.permute(1, 2, 0) * 255).byte().numpy()
    assert (pixels(found, "chw") == expected).all() and (pixels(found, "hwc") == expected).all()
    assert pixels(found, "hw").shape == (4, 5, 3)
    sheet = pixels(found, "many")
    assert sheet.shape == (4, 24, 3) and sheet[0, 21, 0] == int(7 / 9 * 255) and sheet[2, 3, 0] == 255
    assert pixels(found, "figure").shape == (100, 50, 3) and not plt.fignum_exists(figure.number)
    assert pixels(found, "boxes")[3, 10].tolist() == [255, 0, 0]


def tensor(found, tag):
    from tensorboard.util import tensor_util

    return tensor_util.make_ndarray(found.Tensors(tag)[0].tensor_proto)


def test_text_curves_and_sound(tmp_path):
    labels, predictions = torch.tensor([0, 1, 1, 0]), torch.tensor([0.1, 0.9, 0.4, 0.6])
    with SummaryWriter(tmp_path) as writer:
        writer.add_text("note", "**bold**", 3)
        writer.add_pr_curve("pr", labels, predictions, num_thresholds=3)
        writer.add_audio("tone", torch.sin(torch.arange(100.0)), sample_rate=8000)
        writer.add_tensor("t", torch.arange(6.0).reshape(2, 3))
        writer.add_custom_scalars({"Losses": {"both": ["Multiline", ["a", "b"]]}})
    found = read(tmp_path)
    assert tensor(found, "note/text_summary").tolist() == [b"**bold**"]
    tp, fp, tn, fn, precision, recall = tensor(found, "pr").tolist()
    assert (tp, fp, tn, fn) == ([2, 1, 0], [2, 1, 0], [0, 1, 2], [0, 1, 2])
    assert precision[:2] == [0.5, 0.5] and recall[:2] == [1.0, 0.5]
    assert found.Audio("tone")[0].sample_rate == 8000 and tensor(found, "t").tolist() == [[0, 1, 2], [3, 4, 5]]


def test_settings_of_a_run(tmp_path):
    with SummaryWriter(tmp_path) as writer:
        writer.add_hparams({"lr": 0.1, "layers": 3, "name": "x", "flag": True}, {"accuracy": 0.5}, run_name="run")
        with pytest.raises(ValueError, match="int, float, str, bool"):
            writer.add_hparams({"lr": []}, {})
    found = read(tmp_path / "run")
    assert found.Scalars("accuracy")[0].value == 0.5
    assert b"layers" in found.SummaryMetadata("_hparams_/session_start_info").plugin_data.content


def test_embedding(tmp_path):
    with SummaryWriter(tmp_path) as writer:
        writer.add_embedding(torch.arange(6.0).reshape(3, 2), ["a", "b", "c"], torch.rand(3, 3, 4, 5), global_step=1)
    folder = tmp_path / "00001" / "default"
    assert (folder / "tensors.tsv").read_text() == "0.0\t1.0\n2.0\t3.0\n4.0\t5.0\n"
    assert (folder / "metadata.tsv").read_text() == "a\nb\nc\n" and (folder / "sprite.png").exists()
    assert "default/tensors.tsv" in (tmp_path / "projector_config.pbtxt").read_text()


def test_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    writer = SummaryWriter(comment="_test", filename_suffix=".end")
    writer.close()
    writer.add_scalar("later", 1)  # into a new file
    writer.flush()
    (run,) = os.listdir("runs")
    assert run.endswith("_test") and all(name.endswith(".end") for name in os.listdir(f"runs/{run}"))
    writer.close()
    assert read(f"runs/{run}").Scalars("later")[0].value == 1


@pytest.mark.skipif(CANDIDATE == "torch", reason="PyTorch has them")
def test_what_is_not_there(tmp_path, monkeypatch):
    with SummaryWriter(tmp_path) as writer:
        for name in ("add_graph", "add_onnx_graph", "add_mesh"):
            with pytest.raises(NotImplementedError, match=name):
                getattr(writer, name)(None, None) if name == "add_mesh" else getattr(writer, name)(None)
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.partition(".")[0] == "tensorboard":
            raise ImportError("No module named 'tensorboard'")
        return real(name, *args, **kwargs)

    for module in [m for m in sys.modules if m.startswith("rushlight.utils.tensorboard")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="pip install tensorboard"):
        importlib.import_module("rushlight.utils.tensorboard")
