"""A data set of image files, changed at random each time an image is read: flipped, turned, normalized to -1..1.

The files are tiles of the two photographs that come with scikit-learn (a temple, a flower); a small network learns which
photograph a tile is from. `--data FOLDER` takes your own images instead, in one folder a class.

    python -m rushlight examples/image_dataset_augmentation.py
    python examples/image_dataset_augmentation.py   # the same script, under PyTorch with torchvision
"""

import argparse
import tempfile
import time
from pathlib import Path

import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms, utils

SIZE = 48
to_tensor = transforms.Compose(
    [
        transforms.Resize((SIZE, SIZE)),
        transforms.ToTensor(),  # 0..255 becomes 0..1
        transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),  # and that becomes -1..1
    ]
)
augmented = transforms.Compose([transforms.RandomHorizontalFlip(), transforms.RandomRotation((-15, 15)), to_tensor])


class ImageDataset(Dataset):
    """Paths of images and their labels; an image is read when it is asked for."""

    def __init__(self, paths, labels, transform=None):
        self.paths, self.labels, self.transform = paths, labels, transform

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        image = Image.open(self.paths[index]).convert("RGB")
        if self.transform:
            image = self.transform(image)
        return image, self.labels[index]


def write_tiles(folder, size=40):
    """The two photographs, cut into tiles: FOLDER/china/001.png and so on."""
    from sklearn.datasets import load_sample_image

    for name in ("china", "flower"):
        photo = Image.fromarray(load_sample_image(f"{name}.jpg"))
        (folder / name).mkdir(parents=True)
        corners = [(x, y) for y in range(0, photo.height - size, size) for x in range(0, photo.width - size, size)]
        for i, (x, y) in enumerate(corners):
            photo.crop((x, y, x + size, y + size)).save(folder / name / f"{i:03d}.png")


def find_images(folder):
    """Paths and labels; the classes are the names of the folders."""
    classes = sorted(p.name for p in folder.iterdir() if p.is_dir())
    found = [(p, label) for label, name in enumerate(classes) for p in sorted((folder / name).iterdir())]
    return [p for p, _ in found], [label for _, label in found], classes


def network(classes):
    def block(inputs, outputs):
        return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]

    layers = [*block(3, 8), *block(8, 16), *block(16, 32)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, classes))


def save_picture(path, paths, seed):
    """The two images of each class with most to see as they are (left), and six times as the data set gives them."""
    torch.manual_seed(seed)
    contrast = {path: to_tensor(Image.open(path).convert("RGB")).std().item() for path in paths}
    rows = []
    for folder in sorted({p.parent for p in paths}):
        for name in sorted((p for p in paths if p.parent == folder), key=lambda p: -contrast[p])[:2]:
            image = Image.open(name).convert("RGB")
            rows += [to_tensor(image), *(augmented(image) for _ in range(6))]
    utils.save_image(rows, path, nrow=7, normalize=True, value_range=(-1, 1), pad_value=1.0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder with one folder of images a class")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--picture", default="image_dataset_augmentation.png", help="where the picture goes")
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.data or Path(temporary) / "tiles"
        if not args.data:
            write_tiles(folder)
        paths, labels, classes = find_images(folder)
        order = torch.randperm(len(paths)).tolist()
        held_out, training = order[: len(paths) // 5], order[len(paths) // 5 :]

        def subset(indices, transform):
            return ImageDataset([paths[i] for i in indices], [labels[i] for i in indices], transform)

        loader = DataLoader(subset(training, augmented), batch_size=32, shuffle=True)
        test_loader = DataLoader(subset(held_out, to_tensor), batch_size=64)
        images, _ = next(iter(loader))
        print(f"{len(training)} images to learn from, {len(held_out)} held out, classes {classes}")
        print(f"a batch: {tuple(images.shape)}, from {images.min().item():.2f} to {images.max().item():.2f}")

        model = network(len(classes))
        loss_function = nn.CrossEntropyLoss()
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        started = time.time()
        for epoch in range(args.epochs):
            model.train()
            total = 0.0
            for x, y in loader:
                optimizer.zero_grad()
                loss = loss_function(model(x), y)
                loss.backward()
                optimizer.step()
                total += loss.item() * len(y)
            model.eval()
            with torch.no_grad():
                right = sum((model(x).argmax(1) == y).sum().item() for x, y in test_loader)
            print(f"epoch {epoch + 1}  loss {total / len(training):.4f}  held-out accuracy {right / len(held_out):.2%}")
        print(f"trained in {time.time() - started:.1f} s")
        save_picture(args.picture, [paths[i] for i in held_out], args.seed)
    print(f"Images as they are and as the data set gives them in {args.picture}")


if __name__ == "__main__":
    main()
