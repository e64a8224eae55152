"""Models of images: torchvision's keys and weights under the same seed; weights from files."""

import json
import warnings
from pathlib import Path

import pytest

from .conftest import torch
from .golden import vision_cases

np = pytest.importorskip("numpy")
if torch.__name__ == "rushlight":
    from rushlight.vision import models
else:
    models = pytest.importorskip("torchvision.models")
RECORDED = json.loads((Path(__file__).parent / "golden" / "vision_models.json").read_text())
ours = pytest.mark.skipif(torch.__name__ != "rushlight", reason="promised by rushlight only")


@pytest.fixture(scope="module")
def results():
    return vision_cases.run_models(torch, models, np)


@pytest.mark.parametrize("name", [name for name, _, _ in vision_cases.MODELS])
def test_as_torchvision(name, results):
    got, want = results[name], RECORDED[name]
    for what in ("keys", "entries", "parameters"):
        assert got[what] == want[what], what
    assert got["weights"] == want["weights"]
    assert got["loss"] == pytest.approx(want["loss"], rel=1e-4)
    # Fifty layers of batch norm over two pictures of few pixels pass rounding on a hundredfold.
    assert got["gradient"] == pytest.approx(want["gradient"], rel=2e-2 if name == "resnet50" else 1e-3)
    scale = np.abs(want["eval"]).max()
    assert np.abs(np.subtract(got["eval"], want["eval"])).max() <= 1e-4 * scale


@pytest.mark.parametrize("name", ["densenet121", "mobilenet_v2", "mobilenet_v3_small", "squeezenet1_0"])
def test_number_of_parameters(name):
    model = models.get_model(name)
    assert sum(p.numel() for p in model.parameters()) == models.get_model_weights(name).DEFAULT.meta["num_params"]


@pytest.fixture(scope="module")
def vision_transformer():
    """A small one, with a last layer that is not zero."""
    torch.manual_seed(3)
    model = models.VisionTransformer(16, 8, 2, 4, 32, 64, dropout=0.1, num_classes=3)
    torch.nn.init.normal_(model.heads.head.weight)
    return model


def test_vision_transformer(vision_transformer):
    model = vision_transformer
    keys = list(model.state_dict())
    assert keys[:4] == ["class_token", "conv_proj.weight", "conv_proj.bias", "encoder.pos_embedding"]
    assert "encoder.layers.encoder_layer_1.mlp.3.weight" in keys and keys[-1] == "heads.head.bias"
    x = torch.linspace(-1, 1, 2 * 3 * 16 * 16).reshape(2, 3, 16, 16).sin()
    recorded = [[-2.75705, 3.20314, 6.26384], [-7.10214, -0.71426, -9.07711]]  # from torchvision
    model.eval()
    assert torch.allclose(model(x).detach(), torch.tensor(recorded), rtol=1e-4, atol=1e-4)
    with pytest.raises(AssertionError, match="Wrong image height! Expected 16 but got 8"):
        model(x[:, :, :8])


@ours
def test_vision_transformer_reads_the_old_names_of_its_layers(vision_transformer):
    new = vision_transformer.state_dict()
    old = {k.replace(".mlp.0.", ".mlp.linear_1.").replace(".mlp.3.", ".mlp.linear_2."): v for k, v in new.items()}
    model = models.VisionTransformer(16, 8, 2, 4, 32, 64, num_classes=3)
    assert str(model.load_state_dict(old)) == "<All keys matched successfully>"
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), new.values()))


@ours
def test_densenet_reads_the_old_names_of_its_layers(tmp_path, monkeypatch):
    import re

    model = models.densenet121(num_classes=1000)
    new = model.state_dict()
    old = {re.sub(r"(denselayer\d+\.\D+)([12])\.", r"\1.\2.", key): value for key, value in new.items()}
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    monkeypatch.setattr(models.DenseNet121_Weights, "get_state_dict", lambda self, **kwargs: old)
    loaded = models.densenet121(weights="DEFAULT").state_dict()
    assert list(loaded) == list(new) and all(torch.equal(loaded[key], new[key]) for key in new)


def test_models_by_name():
    names = models.list_models(include=["resnet*", "vgg1*"], exclude="*_bn")
    assert names == ["resnet101", "resnet152", "resnet18", "resnet34", "resnet50", "vgg11", "vgg13", "vgg16", "vgg19"]
    assert models.get_model_builder("resnet18") is models.resnet18
    assert models.get_model_weights("resnet18") is models.ResNet18_Weights
    assert models.get_weight("ResNet50_Weights.IMAGENET1K_V2") is models.ResNet50_Weights.DEFAULT
    with pytest.raises(ValueError, match="Unknown model foo"):
        models.get_model("foo")


def test_the_dictionary_of_the_module_lists_builders():
    names = [n for n, f in vars(models).items() if n.islower() and not n.startswith("__") and callable(f)]
    assert {"resnet18", "vgg16", "mobilenet_v2", "alexnet", "squeezenet1_0"} <= set(names)


def test_weights_say_what_they_are():
    weights = models.ResNet50_Weights.DEFAULT
    assert repr(weights) == "ResNet50_Weights.IMAGENET1K_V2" and weights.url.endswith("/resnet50-11ad3fa6.pth")
    assert weights.meta["num_params"] == 25557032
    categories = weights.meta["categories"]
    assert len(categories) == 1000 and categories[0] == "tench" and categories[207] == "golden retriever"
    preset = weights.transforms()
    assert repr(preset).splitlines()[:3] == ["ImageClassification(", "    crop_size=[224]", "    resize_size=[232]"]


def test_the_preset_of_the_images():
    Image = pytest.importorskip("PIL.Image")
    image = Image.fromarray(np.full((300, 250, 3), 255, np.uint8))
    out = models.ResNet18_Weights.DEFAULT.transforms()(image)
    assert out.shape == (3, 224, 224) and out.dtype == torch.float32
    assert torch.allclose(out[:, 0, 0], (1 - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225]))


@pytest.fixture
def cached(tmp_path, monkeypatch):
    """A cache folder with weights of SqueezeNet 1.1, under a name that holds their checksum."""
    import hashlib

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    model = models.squeezenet1_1()
    torch.save(model.state_dict(), folder / "x.pth")
    digest = hashlib.sha256((folder / "x.pth").read_bytes()).hexdigest()[:8]
    path = (folder / "x.pth").rename(folder / f"squeezenet1_1-{digest}.pth")
    weights = models.SqueezeNet1_1_Weights.DEFAULT
    value = type(weights.value)(f"http://127.0.0.1:9/{path.name}", weights.value.transforms, weights.value.meta)
    monkeypatch.setattr(weights, "_value_", value)
    return model, path


@ours
def test_weights_from_the_cache(cached):
    model, _ = cached
    loaded = models.squeezenet1_1(weights="DEFAULT")
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), loaded.state_dict().values()))


@ours
def test_damaged_weights_are_refused(cached):
    _, path = cached
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(RuntimeError, match="is corrupted"):
        models.squeezenet1_1(weights=models.SqueezeNet1_1_Weights.DEFAULT)
    assert not path.exists()


@ours
def test_without_a_network_the_error_says_where_to_put_the_file(cached):
    _, path = cached
    path.unlink()
    with pytest.raises(RuntimeError, match="Put the file there, or pass weights=None"):
        models.squeezenet1_1(weights=models.SqueezeNet1_1_Weights.DEFAULT)


def test_old_ways_of_asking_for_weights():
    with pytest.warns(UserWarning) as warned:
        models.squeezenet1_1(pretrained=False)
    told = [str(w.message) for w in warned]
    assert len(told) == 2 and told[0].startswith("The parameter 'pretrained' is deprecated since 0.13")
    assert told[1].startswith("Arguments other than a weight enum or `None` for 'weights' are deprecated since 0.13")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        models.squeezenet1_1(weights=None)
    with pytest.raises(TypeError, match="expected SqueezeNet1_1_Weights but received ResNet18_Weights"):
        models.squeezenet1_1(weights=models.ResNet18_Weights.DEFAULT)
    with pytest.raises(KeyError):
        models.squeezenet1_1(weights="foo")
    with pytest.raises(ValueError, match="'num_classes' expected value 1000 but got 10"):
        models.squeezenet1_1(weights="DEFAULT", num_classes=10)


@ours
def test_models_that_are_not_there():
    with pytest.raises(AttributeError, match="rushlight has no torchvision.models.swin_t"):
        models.swin_t  # noqa: B018
