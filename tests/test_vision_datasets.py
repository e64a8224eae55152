"""Data sets of images: files of a few bytes, and a server on this machine instead of a network."""

import functools
import gzip
import hashlib
import http.server
import io
import os
import pathlib
import pickle
import struct
import tarfile
import threading
import zipfile

import pytest

from .conftest import torch

np = pytest.importorskip("numpy")
Image = pytest.importorskip("PIL.Image")
vision = pytest.importorskip(f"{torch.__name__}.vision" if torch.__name__ == "rushlight" else "torchvision")
datasets = __import__(f"{vision.__name__}.datasets", fromlist=["x"])
transforms = __import__(f"{vision.__name__}.transforms", fromlist=["x"])
utils = __import__(f"{vision.__name__}.datasets.utils", fromlist=["x"])
ours = pytest.mark.skipif(torch.__name__ != "rushlight", reason="promised by rushlight only")


def md5(data):
    return hashlib.md5(data).hexdigest()


def idx(array):
    kind = {"uint8": 8, "int32": 12}[array.dtype.name]
    head = struct.pack(">BBBB", 0, 0, kind, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


def digits(n, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (n, 28, 28), dtype=np.uint8), rng.integers(0, 10, n, dtype=np.uint8)


@pytest.fixture
def mnist(tmp_path):
    """A folder as torchvision leaves it: four unpacked files."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part, n in (("train", 7), ("t10k", 3)):
        images, labels = digits(n, n)
        (raw / f"{part}-images-idx3-ubyte").write_bytes(idx(images))
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(idx(labels))
    return tmp_path


class Server(http.server.ThreadingHTTPServer):
    """Serves a folder; can break off after some bytes, and counts what it is asked for."""

    def __init__(self, folder):
        self.folder, self.asked, self.break_after = folder, [], []
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Range")))
        path = self.server.folder / self.path.lstrip("/")
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes()
        start = int(self.headers["Range"][6:-1]) if self.headers.get("Range") else 0
        if start > len(data):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        body = data[start:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.server.break_after:
            body = body[: self.server.break_after.pop(0)]
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("served")) as server:
        thread = threading.Thread(target=functools.partial(server.serve_forever, poll_interval=0.01), daemon=True)
        thread.start()
        yield server
        server.shutdown()


def closed_port():
    """An address where nobody listens."""
    import socket

    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{s.getsockname()[1]}/"


# ---- MNIST and its relatives ----


def test_mnist_reads_its_files(mnist):
    data = datasets.MNIST(mnist, train=True)
    images, labels = digits(7, 7)
    assert len(data) == 7
    assert data.data.dtype == torch.uint8 and data.data.shape == (7, 28, 28)
    assert data.targets.dtype == torch.int64 and data.targets.tolist() == labels.tolist()
    image, target = data[3]
    assert image.mode == "L" and image.size == (28, 28)
    assert (np.array(image) == images[3]).all() and target == labels[3] and type(target) is int
    assert len(datasets.MNIST(mnist, train=False)) == 3
    assert data.class_to_idx["4 - four"] == 4
    assert repr(data) == f"Dataset MNIST\n    Number of datapoints: 7\n    Root location: {mnist}\n    Split: Train"


def test_mnist_transforms_and_loads_in_batches(mnist):
    pipeline = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
    data = datasets.MNIST(str(mnist), transform=pipeline, target_transform=lambda t: t + 1)
    loader = torch.utils.data.DataLoader(data, batch_size=4)
    x, y = next(iter(loader))
    assert x.shape == (4, 1, 28, 28) and y.tolist() == (digits(7, 7)[1][:4] + 1).tolist()
    assert torch.allclose(x[0, 0], torch.from_numpy(digits(7, 7)[0][0]).float() / 255 * 2 - 1, atol=1e-6)
    assert "Transform: Compose(" in repr(data)


@ours
def test_packed_files_are_read_too(mnist):
    for path in (mnist / "MNIST" / "raw").iterdir():
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert len(datasets.MNIST(mnist)) == 7


def test_missing_files_are_said(tmp_path):
    with pytest.raises(RuntimeError, match="Dataset not found"):
        datasets.MNIST(tmp_path)
    with pytest.raises(RuntimeError, match="Dataset not found or corrupted"):
        datasets.CIFAR10(tmp_path)


@ours
@pytest.mark.parametrize(
    "damage", [lambda d: d[:-1], lambda d: d + b"x", lambda d: b"\1" + d[1:], lambda d: d[:3], lambda d: b""]
)
def test_a_damaged_file_is_found_out(mnist, damage):
    path = mnist / "MNIST" / "raw" / "train-images-idx3-ubyte"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(RuntimeError, match="train-images-idx3-ubyte is corrupted"):
        datasets.MNIST(mnist)


@ours
def test_a_damaged_packed_file_is_found_out(mnist):
    path = mnist / "MNIST" / "raw" / "train-images-idx3-ubyte"
    packed = gzip.compress(path.read_bytes())
    path.unlink()
    path.with_name(path.name + ".gz").write_bytes(packed[:-20])
    with pytest.raises(RuntimeError, match="corrupted"):
        datasets.MNIST(mnist)


@ours
def test_images_and_labels_must_be_as_many(mnist):
    (mnist / "MNIST" / "raw" / "train-labels-idx1-ubyte").write_bytes(idx(digits(6)[1]))
    with pytest.raises(RuntimeError, match="7 images, 6 labels"):
        datasets.MNIST(mnist)


@pytest.mark.parametrize("name", ["FashionMNIST", "KMNIST"])
def test_relatives(mnist, name):
    (mnist / "MNIST").rename(mnist / name)
    data = getattr(datasets, name)(mnist)
    assert len(data) == 7 and len(data.classes) == 10 and data.raw_folder.endswith(os.path.join(name, "raw"))


def test_emnist(tmp_path):
    raw = tmp_path / "EMNIST" / "raw"
    raw.mkdir(parents=True)
    images, labels = digits(5)
    (raw / "emnist-letters-test-images-idx3-ubyte").write_bytes(idx(images))
    (raw / "emnist-letters-test-labels-idx1-ubyte").write_bytes(idx(labels))
    data = datasets.EMNIST(tmp_path, "letters", train=False)
    assert len(data) == 5 and data.classes[:3] == ["N/A", "a", "b"]
    assert len(datasets.EMNIST.classes_split_dict["balanced"]) == 47
    with pytest.raises(ValueError, match="Unknown value 'foo' for argument split"):
        datasets.EMNIST(tmp_path, "foo")


def test_qmnist(tmp_path):
    raw = tmp_path / "QMNIST" / "raw"
    raw.mkdir(parents=True)
    images, _ = digits(4)
    table = np.arange(32, dtype=np.int32).reshape(4, 8)
    (raw / "qmnist-test-images-idx3-ubyte").write_bytes(idx(images))
    (raw / "qmnist-test-labels-idx2-int").write_bytes(idx(table))
    assert datasets.QMNIST(tmp_path, train=False)[2][1] == 16
    assert datasets.QMNIST(tmp_path, "test", compat=False)[2][1].tolist() == table[2].tolist()


# ---- downloads ----


def small_mnist(server, **changes):
    resources = []
    for part, n in (("train", 7), ("t10k", 3)):
        for kind, array in zip(("images-idx3", "labels-idx1"), digits(n, n)):
            name = f"{part}-{kind}-ubyte.gz"
            data = gzip.compress(idx(array), mtime=0)
            (server.folder / name).write_bytes(data)
            resources.append((name, md5(data)))
    return type("MNIST", (datasets.MNIST,), {"mirrors": [server.url], "resources": resources, **changes})


def test_download_then_no_second_one(server, tmp_path, capsys):
    Small = small_mnist(server)
    assert len(Small(tmp_path, download=True)) == 7
    asked = len(server.asked)
    assert asked == 4 or torch.__name__ == "torch"  # torchvision asks twice
    assert len(Small(tmp_path, train=False, download=True)) == 3
    assert len(Small(tmp_path)) == 7
    assert len(server.asked) == asked
    assert "train-images-idx3-ubyte.gz" in capsys.readouterr().out


def test_mirrors_are_tried_in_turn(server, tmp_path):
    Small = small_mnist(server, mirrors=[closed_port(), server.url + "elsewhere/", server.url])
    assert len(Small(tmp_path, download=True)) == 7


@ours
def test_no_mirror_at_all(server, tmp_path):
    with pytest.raises(RuntimeError, match="Error downloading train-images.*put it into"):
        small_mnist(server, mirrors=[closed_port()])(tmp_path, download=True)


@ours
def test_a_file_with_another_checksum_is_refused_and_removed(server, tmp_path):
    Small = small_mnist(server)
    (server.folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(b"something else"))
    with pytest.raises(RuntimeError, match="corrupted"):
        Small(tmp_path, download=True)
    assert not list((tmp_path / "MNIST" / "raw").iterdir())


@ours
def test_a_broken_connection_is_taken_up_again(server, tmp_path):
    data = bytes(range(256)) * 1000
    (server.folder / "f.bin").write_bytes(data)
    server.break_after = [100_000, 50_000]
    utils.download_url(server.url + "f.bin", tmp_path, md5=md5(data))
    assert (tmp_path / "f.bin").read_bytes() == data
    assert [r for _, r in server.asked] == [None, "bytes=100000-", "bytes=150000-"]
    assert not (tmp_path / "f.bin.part").exists()


@ours
def test_an_interrupted_download_is_continued_by_the_next_call(server, tmp_path):
    data = bytes(range(256)) * 1000
    (server.folder / "f.bin").write_bytes(data)
    server.break_after = [10, 10, 10]
    with pytest.raises(ConnectionError, match="30 of 256000 bytes"):
        utils.download_url(server.url + "f.bin", tmp_path, md5=md5(data))
    assert not (tmp_path / "f.bin").exists()
    utils.download_url(server.url + "f.bin", tmp_path, md5=md5(data))
    assert (tmp_path / "f.bin").read_bytes() == data and server.asked[-1][1] == "bytes=30-"


@ours
@pytest.mark.parametrize("stale", [b"of another file", b"x" * 2000])
def test_a_part_of_another_file_does_no_harm(server, tmp_path, stale):
    data = b"the right bytes" * 10
    (server.folder / "f.bin").write_bytes(data)
    (tmp_path / "f.bin.part").write_bytes(stale)
    utils.download_url(server.url + "f.bin", tmp_path, md5=md5(data))
    assert (tmp_path / "f.bin").read_bytes() == data


@ours
def test_progress_goes_to_standard_error(server, tmp_path, capsys):
    (server.folder / "f.bin").write_bytes(b"x" * 100_000)
    utils.download_url(server.url + "f.bin", tmp_path)
    out = capsys.readouterr()
    assert out.out == "" and "f.bin [==============================] 0.1/0.1 MB" in out.err


@ours
def test_only_addresses_of_files_are_loaded(tmp_path):
    with pytest.raises(ValueError, match="no address that can be loaded"):
        utils.download_url("ftp://example.org/x", tmp_path)


# ---- archives ----


def test_archives(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as z:
        z.writestr("in/x.txt", "one")
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as t:
        info = tarfile.TarInfo("in/y.txt")
        info.size = 3
        t.addfile(info, io.BytesIO(b"two"))
    (tmp_path / "c.txt.gz").write_bytes(gzip.compress(b"three"))
    for name in ("a.zip", "b.tar.gz", "c.txt.gz"):
        utils.extract_archive(str(tmp_path / name), remove_finished=True)
    assert (tmp_path / "in/x.txt").read_text() == "one"
    assert (tmp_path / "in/y.txt").read_text() == "two"
    assert (tmp_path / "c.txt").read_text() == "three"
    assert not list(tmp_path.glob("*.zip"))


@ours
@pytest.mark.parametrize("kind", ["outside", "absolute", "link"])
def test_a_tar_writes_only_into_its_folder(tmp_path, kind):
    info = tarfile.TarInfo({"outside": "../evil.txt", "absolute": "/tmp/evil.txt", "link": "link"}[kind])
    if kind == "link":
        info.type, info.linkname = tarfile.SYMTYPE, "/etc"
    (tmp_path / "to").mkdir()
    with tarfile.open(tmp_path / "evil.tar", "w") as t:
        t.addfile(info, io.BytesIO(b""))
    with pytest.raises(RuntimeError, match="nothing was extracted"):
        utils.extract_archive(str(tmp_path / "evil.tar"), str(tmp_path / "to"))
    assert not list((tmp_path / "to").iterdir())


def test_an_unknown_archive_is_refused(tmp_path):
    (tmp_path / "x.rar").write_bytes(b"")
    with pytest.raises(RuntimeError):
        utils.extract_archive(str(tmp_path / "x.rar"))


# ---- CIFAR ----


def small_cifar(root, hundred=False, protocol=2, payload=None, damage=False):
    """The files of CIFAR with 4 images each, and the class that knows their checksums."""
    base = datasets.CIFAR100 if hundred else datasets.CIFAR10
    folder = root / base.base_folder
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)

    def write(name, entry):
        data = payload if payload is not None else pickle.dumps(entry, protocol=protocol)
        (folder / name).write_bytes(data + (b"x" if damage else b""))
        return md5(data)

    labels = "fine_labels" if hundred else "labels"
    lists = {}
    for which in ("train_list", "test_list"):
        lists[which] = []
        for name, _ in getattr(base, which):
            entry = {
                "data": rng.integers(0, 256, (4, 3072), dtype=np.uint8),
                labels: [0, 1, 2, 1],
                "filenames": ["a"] * 4,
            }
            lists[which].append([name, write(name, entry)])
    meta = {**base.meta, "md5": write(base.meta["filename"], {base.meta["key"]: ["cat", "dog", "owl"]})}
    return type(base.__name__, (base,), {**lists, "meta": meta})


@pytest.mark.parametrize("hundred", [False, True])
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_cifar(tmp_path, hundred, protocol):
    Small = small_cifar(tmp_path, hundred, protocol)
    data = Small(tmp_path)
    n = 4 if hundred else 20
    assert data.data.shape == (n, 32, 32, 3) and data.targets == [0, 1, 2, 1] * (n // 4)
    assert data.classes == ["cat", "dog", "owl"] and data.class_to_idx["owl"] == 2
    image, target = data[2]
    first = np.random.default_rng(1).integers(0, 256, (4, 3072), dtype=np.uint8)[2].reshape(3, 32, 32)
    assert image.mode == "RGB" and target == 2 and (np.array(image) == first.transpose(1, 2, 0)).all()
    assert len(Small(tmp_path, train=False)) == 4


def test_cifar_with_another_checksum(tmp_path):
    with pytest.raises(RuntimeError, match="corrupted"):
        small_cifar(tmp_path, damage=True)(tmp_path)


class Evil:
    def __reduce__(self):
        return (os.system, ("echo evil",))


@ours
@pytest.mark.parametrize(
    "payload",
    [
        pickle.dumps({"data": Evil()}),
        pickle.dumps([1]),
        b"no pickle",
        pickle.dumps({"data": np.array([{}], object), "labels": [1]}),
    ],
)
def test_the_pickles_of_cifar_run_nothing(tmp_path, payload, capfd):
    with pytest.raises(RuntimeError, match="is corrupted"):
        small_cifar(tmp_path, payload=payload)(tmp_path)
    assert "evil" not in capfd.readouterr().out


def test_cifar_download(server, tmp_path):
    Small = small_cifar(tmp_path / "made")
    with tarfile.open(server.folder / "cifar-10-python.tar.gz", "w:gz") as t:
        t.add(tmp_path / "made" / Small.base_folder, Small.base_folder)
    Small.url = server.url + "cifar-10-python.tar.gz"
    Small.tgz_md5 = md5((server.folder / "cifar-10-python.tar.gz").read_bytes())
    assert len(Small(tmp_path / "new", download=True)) == 20
    asked = len(server.asked)
    assert len(Small(tmp_path / "new", download=True, train=False)) == 4
    assert len(server.asked) == asked


# ---- house numbers, STL10, envelopes ----


def test_svhn(tmp_path):
    scipy_io = pytest.importorskip("scipy.io")
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3, 4), dtype=np.uint8)
    scipy_io.savemat(tmp_path / "test_32x32.mat", {"X": pixels, "y": np.array([[1], [10], [9], [2]], np.uint8)})
    found = md5((tmp_path / "test_32x32.mat").read_bytes())
    Small = type("SVHN", (datasets.SVHN,), {"split_list": {"test": ["http://x", "test_32x32.mat", found]}})
    data = Small(tmp_path, "test")
    assert data.labels.tolist() == [1, 0, 9, 2] and data[1][1] == 0
    assert (np.array(data[2][0]) == pixels[..., 2]).all()
    with pytest.raises(RuntimeError, match="Dataset not found or corrupted"):
        datasets.SVHN(tmp_path, "test")


def test_stl10(tmp_path):
    folder = tmp_path / "stl10_binary"
    folder.mkdir()
    rng = np.random.default_rng(0)
    lists = {"train_list": [], "test_list": []}
    for which, part, n in (("train_list", "train", 6), ("train_list", "unlabeled", 3), ("test_list", "test", 2)):
        pixels = rng.integers(0, 256, (n, 3, 96, 96), dtype=np.uint8)
        files = {"X": pixels.transpose(0, 1, 3, 2).tobytes(), "y": bytes(range(1, n + 1))}
        for kind in "X" if part == "unlabeled" else "Xy":
            (folder / f"{part}_{kind}.bin").write_bytes(files[kind])
            lists[which].append([f"{part}_{kind}.bin", md5(files[kind])])
        if part == "train":
            first = pixels
    (folder / "class_names.txt").write_text("airplane\nbird\n")
    (folder / "fold_indices.txt").write_text("0 1\n4 2 \n")
    Small = type("STL10", (datasets.STL10,), lists)
    data = Small(tmp_path, "train+unlabeled")
    assert (
        len(data) == 9
        and data.labels.tolist() == [0, 1, 2, 3, 4, 5, -1, -1, -1]
        and data.classes == ["airplane", "bird"]
    )
    assert (np.array(data[4][0]) == first[4].transpose(1, 2, 0)).all()
    assert Small(tmp_path, folds=1).labels.tolist() == [4, 2] and len(Small(tmp_path, "test")) == 2
    with pytest.raises(ValueError, match=r"range \[0, 10\)"):
        Small(tmp_path, folds=11)


def test_usps(tmp_path):
    import bz2

    values = np.linspace(-1, 1, 512).reshape(2, 256)
    lines = [" ".join([str(y), *(f"{i + 1}:{v:.4f}" for i, v in enumerate(row))]) for y, row in zip((3, 10), values)]
    (tmp_path / "usps.t.bz2").write_bytes(bz2.compress("\n".join(lines).encode()))
    data = datasets.USPS(tmp_path, train=False)
    assert data.targets == [2, 9] and data.data.shape == (2, 16, 16) and data[0][0].size == (16, 16)
    assert data.data[0, 0, 0] == 0 and data.data[1, 15, 15] == 255


# ---- folders and random images ----


@pytest.fixture
def folder(tmp_path):
    for name, color in (("cat/1.png", 10), ("cat/deep/0.PNG", 20), ("dog/2.jpg", 30), ("dog/notes.txt", None)):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if color is None:
            path.write_text("no image")
        else:
            Image.new("L", (5, 4), color).save(path)
    return tmp_path


def test_image_folder(folder):
    data = datasets.ImageFolder(folder)
    assert data.classes == ["cat", "dog"] and data.class_to_idx == {"cat": 0, "dog": 1}
    names = [(os.path.relpath(p, folder), t) for p, t in data.samples]
    assert names == [("cat/1.png", 0), ("cat/deep/0.PNG", 0), ("dog/2.jpg", 1)]
    assert data.targets == [0, 0, 1] and data.imgs is data.samples
    image, target = data[0]
    assert image.mode == "RGB" and image.size == (5, 4) and target == 0


def test_image_folder_with_a_filter_and_a_loader(folder):
    data = datasets.ImageFolder(
        str(folder), loader=os.path.basename, is_valid_file=lambda p: p.endswith(".txt"), allow_empty=True
    )
    assert data[0] == ("notes.txt", 1) and len(data) == 1


def test_image_folder_without_images(folder, tmp_path):
    (folder / "owl").mkdir()
    with pytest.raises(
        FileNotFoundError, match="Found no valid file for the classes owl. Supported extensions are: .jpg"
    ):
        datasets.ImageFolder(folder)
    assert len(datasets.ImageFolder(folder, allow_empty=True).classes) == 3
    with pytest.raises(FileNotFoundError, match="Couldn't find any class folder"):
        datasets.ImageFolder(folder / "owl")


def test_dataset_folder(folder):
    data = datasets.DatasetFolder(folder, lambda p: pathlib.Path(p).read_text(), extensions=(".txt",), allow_empty=True)
    assert data[0] == ("no image", 1)


def test_fake_data():
    data = datasets.FakeData(size=3, image_size=(3, 4, 4), num_classes=5, transform=transforms.ToTensor())
    torch.manual_seed(1)
    before = torch.get_rng_state()
    image, target = data[0]
    assert torch.equal(torch.get_rng_state(), before)
    assert target == 2 and data[1][1] == 1 and type(target) is int
    first_row = torch.tensor([225.0, 219.0, 193.0, 146.0]) / 255  # recorded from torchvision
    assert torch.allclose(image[0, 0], first_row)
    with pytest.raises(IndexError):
        data[3]


def test_vision_dataset_takes_one_kind_of_transform():
    with pytest.raises(ValueError, match="Only transforms or transform/target_transform"):
        datasets.VisionDataset("x", transforms=lambda a, b: (a, b), transform=len)


@ours
def test_what_is_not_there_says_so(tmp_path):
    with pytest.raises(NotImplementedError, match="torchvision.datasets.LSUN"):
        datasets.LSUN(tmp_path)
    with pytest.raises(AttributeError, match="did you mean torchvision.datasets.CIFAR10"):
        datasets.CIFAR11  # noqa: B018


@ours
def test_without_pillow_the_error_says_what_to_install(mnist, monkeypatch):
    import sys

    data = datasets.MNIST(mnist)
    for name in [n for n in sys.modules if n.partition(".")[0] == "PIL"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match="pip install"):
        data[0]
