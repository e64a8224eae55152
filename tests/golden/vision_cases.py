"""What transforms are compared with torchvision on: an expression, run on several kinds of image under a seed."""

import importlib
import random

CASES = """
T.Resize(6)
T.Resize((13, 10))
T.Resize((4, 5), antialias=False)
T.Resize((4, 5), I.NEAREST)
T.Resize((13, 5), I.NEAREST_EXACT)
T.Resize((4, 5), I.BICUBIC)
T.Resize(8, max_size=9)
T.CenterCrop(5)
T.CenterCrop((15, 4))
T.RandomCrop(6)
T.RandomCrop(6, padding=2)
T.RandomCrop((14, 6), pad_if_needed=True, padding_mode="reflect")
T.RandomResizedCrop(6)
T.RandomResizedCrop((5, 7), scale=(0.3, 0.9), ratio=(0.2, 3.0))
T.FiveCrop(5)
T.TenCrop(5, vertical_flip=True)
T.Pad(3)
T.Pad((1, 2), fill=7)
T.Pad((1, 2, 3, 4), padding_mode="edge")
T.Pad((1, 2, 3, 4), padding_mode="reflect")
T.Pad((1, 2, 3, 4), padding_mode="symmetric")
T.Pad((-1, 2, 3, -4))
T.RandomHorizontalFlip()
T.RandomVerticalFlip()
T.RandomRotation(30)
T.RandomRotation((-15, 15), I.BILINEAR, fill=9)
T.RandomRotation(90, I.BILINEAR, expand=True)
T.RandomRotation(40, center=(3, 4))
T.RandomAffine(30)
T.RandomAffine(30, (0.1, 0.2), (0.5, 1.5), 10, I.BILINEAR, fill=3)
T.RandomAffine(0, shear=(-10, 10, -5, 5), center=(2, 3))
T.RandomPerspective(p=1.0)
T.RandomPerspective(0.3, p=0.7, interpolation=I.NEAREST, fill=5)
T.ElasticTransform(alpha=30.0, sigma=0.5)
T.ColorJitter(0.5, 0.5, 0.5, 0.2)
T.ColorJitter(hue=0.5)
T.ColorJitter(contrast=0.9)
T.ColorJitter(saturation=(0.2, 3.0))
T.Grayscale()
T.Grayscale(3)
T.RandomGrayscale(0.7)
T.GaussianBlur(5)
T.GaussianBlur((3, 7), (0.5, 1.0))
T.RandomErasing(1.0)
T.RandomErasing(1.0, value="random")
T.RandomErasing(1.0, value=(1, 2, 3))
T.RandomInvert()
T.RandomPosterize(3, p=1.0)
T.RandomSolarize(100, p=1.0)
T.RandomSolarize(0.5, p=1.0)
T.RandomAdjustSharpness(2, p=1.0)
T.RandomAutocontrast(1.0)
T.RandomEqualize(1.0)
T.AutoAugment()
T.AutoAugment(T.AutoAugmentPolicy.CIFAR10)
T.AutoAugment(T.AutoAugmentPolicy.SVHN, I.BILINEAR, fill=10)
T.RandAugment()
T.RandAugment(3, 12, fill=3)
T.TrivialAugmentWide()
T.AugMix()
T.ToTensor()
T.PILToTensor()
T.ToPILImage()
T.ConvertImageDtype(torch.uint8)
T.ConvertImageDtype(torch.int16)
T.Normalize((0.5, 0.4, 0.3), (0.2, 0.3, 0.4))
T.Normalize((0.5,), (0.5,))
T.RandomApply([T.CenterCrop(5), T.ColorJitter(0.3)], p=0.6)
T.RandomChoice([T.CenterCrop(5), T.CenterCrop(4), T.Pad(1)], p=[0.2, 0.3, 0.5])
T.RandomOrder([T.CenterCrop(5), T.Pad(1), T.RandomHorizontalFlip()])
lambda x: TF.adjust_gamma(x, 2.0, 0.8)
lambda x: TF.adjust_hue(x, -0.3)
lambda x: TF.adjust_brightness(x, 1.7)
lambda x: TF.crop(x, -3, 5, 9, 20)
lambda x: TF.crop(x, 30, 5, 4, 4)
lambda x: TF.resized_crop(x, 1, 2, 7, 6, [5, 4])
lambda x: TF.rotate(x, 90, expand=True)
lambda x: TF.affine(x, 20, [3, 4], 0.8, [5, 6], fill=[1, 2, 3])
lambda x: TF.posterize(x, 1)
T.ElasticTransform([10.0, 20.0], [0.4, 0.8])
lambda x: TF.pad(x, 1, fill=None)
lambda x: TF.adjust_contrast(x, -0.5)
v2.Resize(None, max_size=7)
v2.RandomCrop((11, 5))
v2.Pad(1, fill=[1, 2, 3])
v2.RandomErasing(1.0)
v2.RandomEqualize(1.0)
v2.RandomPosterize(3, p=1.0)
v2.RandomSolarize(0.5, p=1.0)
v2.GaussianNoise()
v2.AutoAugment()
v2.AutoAugment(T.AutoAugmentPolicy.SVHN, I.BILINEAR)
v2.TrivialAugmentWide()
v2.RandomHorizontalFlip(1.5)
""".strip().splitlines()

SEEDS = (0, 1)


def images(torch, np, Image):
    """An image that is smooth but not flat, as PIL has it and as tensors."""
    y, x, c = np.mgrid[:11, :9, :3]
    pixels = (127 + 90 * np.sin(0.5 * x + c) * np.cos(0.4 * y - c) + 5 * x - 3 * y + 10 * c).astype(np.uint8)
    pil = Image.fromarray(pixels)
    whole = torch.from_numpy(pixels.transpose(2, 0, 1).copy())
    return {"pil": pil, "gray": pil.convert("L"), "uint8": whole, "float": whole.float() / 255}


def summary(value, torch, np):
    """Kind, shape, and two sums: one plain, one that sees the order."""
    if isinstance(value, list | tuple):
        return [summary(v, torch, np) for v in value]
    if isinstance(value, torch.Tensor):
        kind, array = str(value.dtype)[6:], value.detach().contiguous().numpy()
    elif hasattr(value, "getbands"):
        kind, array = value.mode, np.asarray(value)
    else:
        return repr(value)
    flat = array.astype(np.float64).reshape(-1)
    weights = np.cos(np.arange(flat.size) * 0.7)
    return [
        kind,
        list(array.shape),
        float(f"{flat.sum():.7g}"),
        float(f"{(flat * weights).sum():.7g}"),
        float(f"{np.abs(flat).sum():.3g}"),
    ]


def run(torch, transforms, functional, np, Image):
    """(case, image, seed) -> summary, and the next random number: as many must have been drawn."""
    names = {"torch": torch, "T": transforms, "TF": functional, "I": transforms.InterpolationMode}
    names["v2"] = importlib.import_module(f"{transforms.__name__}.v2")
    for case in CASES:
        for name, image in images(torch, np, Image).items():
            for seed in SEEDS:
                torch.manual_seed(seed)
                random.seed(seed)
                try:
                    result = summary(eval(case, names)(image), torch, np)
                except Exception as error:
                    result = type(error).__name__
                yield f"{case} | {name} | {seed}", [result, round(torch.rand(1).item(), 6)]


MODELS = [
    ("resnet18", {"num_classes": 7}, 33),
    ("resnet50", {"num_classes": 3, "width_per_group": 8, "replace_stride_with_dilation": [False, True, True]}, 33),
    ("mobilenet_v2", {"num_classes": 5, "width_mult": 0.25}, 33),
    ("mobilenet_v3_small", {"num_classes": 5, "width_mult": 0.5}, 33),
    ("mobilenet_v3_large", {"num_classes": 5, "width_mult": 0.35, "reduced_tail": True, "dilated": True}, 33),
    ("efficientnet_b0", {"num_classes": 5, "stochastic_depth_prob": 0.5}, 33),
    ("squeezenet1_0", {"num_classes": 4}, 40),
    ("squeezenet1_1", {"num_classes": 4}, 40),
]


def run_models(torch, models, np):
    """Keys, shapes, weights under a seed, and what comes out while training and after."""
    found = {}
    for name, options, size in MODELS:
        torch.manual_seed(3)
        model = models.get_model(name, weights=None, **options)
        state = model.state_dict()
        weights = np.concatenate([v.double().reshape(-1).numpy() for v in state.values()])
        signs = np.cos(np.arange(weights.size) * 0.7)
        x = torch.linspace(-1, 1, 2 * 3 * size * size).reshape(2, 3, size, size).sin()
        model.train()
        loss = model(x).square().mean()
        loss.backward()
        model.eval()
        with torch.no_grad():
            out = model(x)
        found[name] = {
            "keys": [[k, list(v.shape)] for k, v in state.items()][:: max(1, len(state) // 12)],
            "entries": len(state),
            "parameters": sum(p.numel() for p in model.parameters()),
            "weights": [float(f"{weights.sum():.10g}"), float(f"{(weights * signs).sum():.10g}")],
            "loss": float(f"{loss.item():.6g}"),
            "gradient": float(f"{next(model.parameters()).grad.norm().item():.5g}"),
            "eval": [float(f"{v:.6g}") for v in out.reshape(-1).tolist()],
        }
    return found
