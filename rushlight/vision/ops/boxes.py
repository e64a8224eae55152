"""Boxes: (left, top, right, bottom), where nothing else is said.

Boxes are tensors (n, 4), floating or of integers; results keep their dtype where nothing else is said.
"""

from __future__ import annotations

from typing import Any

import rushlight as torch

__all__ = [
    "batched_nms",
    "box_area",
    "box_convert",
    "box_iou",
    "clip_boxes_to_image",
    "complete_box_iou",
    "complete_box_iou_loss",
    "distance_box_iou",
    "distance_box_iou_loss",
    "generalized_box_iou",
    "generalized_box_iou_loss",
    "masks_to_boxes",
    "nms",
    "remove_small_boxes",
]


def nms(boxes: Any, scores: Any, iou_threshold: float) -> Any:
    """Non-maximum suppression: the boxes that overlap no better one by more than a threshold.

    Args:
        boxes: (n, 4).
        scores: (n).
        iou_threshold: intersection over union above which the worse box goes.

    Returns:
        int64: the places of those that stay, best first.

    >>> nms(torch.tensor([[0., 0., 2., 2.], [0., 0., 2., 1.9], [5., 5., 6., 6.]]), torch.tensor([.5, .9, .4]), .5)
    tensor([1, 2])
    """
    if boxes.dim() != 2 or boxes.shape[-1] != 4:
        raise RuntimeError(f"boxes should be a 2d tensor of shape (n, 4), got {tuple(boxes.shape)}")
    if scores.dim() != 1 or scores.shape[0] != boxes.shape[0]:
        raise RuntimeError(
            f"boxes and scores should have the same number of elements, got {boxes.shape[0]} and {tuple(scores.shape)}"
        )
    import numpy as np

    order = torch.argsort(scores.detach(), descending=True, stable=True)
    b = boxes.detach()[order].numpy()
    area = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    alive = np.ones(len(b), dtype=bool)
    for i in range(len(b)):
        if alive[i]:
            rest = b[i + 1 :]
            wide = np.minimum(b[i, 2], rest[:, 2]) - np.maximum(b[i, 0], rest[:, 0])
            high = np.minimum(b[i, 3], rest[:, 3]) - np.maximum(b[i, 1], rest[:, 1])
            common = np.maximum(wide, 0) * np.maximum(high, 0)
            with np.errstate(divide="ignore", invalid="ignore"):
                alive[i + 1 :] &= ~(common / (area[i] + area[i + 1 :] - common) > iou_threshold)
    return order[torch.from_numpy(alive)]


def batched_nms(boxes: Any, scores: Any, idxs: Any, iou_threshold: float) -> Any:
    """`nms` of each class by itself; idxs: (n), the classes.

    >>> boxes = torch.tensor([[0., 0., 2., 2.], [0., 0., 2., 2.]])
    >>> torch.vision.ops.batched_nms(boxes, torch.tensor([0.9, 0.8]), torch.tensor([0, 1]), 0.5)
    tensor([0, 1])
    """
    if boxes.numel() == 0:
        return torch.empty((0,), dtype=torch.int64)
    apart = idxs.to(boxes) * (boxes.max() + 1)  # boxes of two classes never meet
    return nms(boxes + apart[:, None], scores, iou_threshold)


def remove_small_boxes(boxes: Any, min_size: float) -> Any:
    """The places of the boxes whose width and height are at least `min_size`.

    >>> torch.vision.ops.remove_small_boxes(torch.tensor([[0., 0., 1., 1.], [0., 0., 9., 9.]]), 5)
    tensor([1])
    """
    wide, high = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    return torch.where((wide >= min_size) & (high >= min_size))[0]


def clip_boxes_to_image(boxes: Any, size: tuple[int, int]) -> Any:
    """The boxes cut off at the edges of an image of size (height, width).

    >>> torch.vision.ops.clip_boxes_to_image(torch.tensor([[-1., 0., 5., 9.]]), (4, 4))
    tensor([[0., 0., 4., 4.]])
    """
    height, width = size
    x, y = boxes[..., 0::2].clamp(0, width), boxes[..., 1::2].clamp(0, height)
    return torch.stack((x, y), dim=boxes.dim()).reshape(boxes.shape)


def box_convert(boxes: Any, in_fmt: str, out_fmt: str) -> Any:
    """Boxes in another form: "xyxy" corners, "xywh" a corner and the size, "cxcywh" the middle and the size.

    >>> box_convert(torch.tensor([[1., 2., 3., 6.]]), "xyxy", "cxcywh")
    tensor([[2., 4., 2., 4.]])
    """
    known = ("xyxy", "xywh", "cxcywh")
    if in_fmt not in known or out_fmt not in known:
        raise ValueError(f"Unsupported Bounding Box Conversions for given in_fmt {in_fmt} and out_fmt {out_fmt}")
    if in_fmt == out_fmt:
        return boxes.clone()
    a, b, c, d = boxes.unbind(-1)
    if in_fmt == "xywh":
        a, b, c, d = a, b, a + c, b + d
    elif in_fmt == "cxcywh":
        a, b, c, d = a - 0.5 * c, b - 0.5 * d, a + 0.5 * c, b + 0.5 * d
    if out_fmt == "xywh":
        a, b, c, d = a, b, c - a, d - b
    elif out_fmt == "cxcywh":
        a, b, c, d = (a + c) / 2, (b + d) / 2, c - a, d - b
    return torch.stack((a, b, c, d), dim=-1)


def _wider(boxes: Any) -> Any:
    """In a dtype whose products do not overflow."""
    if boxes.is_floating_point():
        return boxes if boxes.dtype in (torch.float32, torch.float64) else boxes.float()
    return boxes if boxes.dtype in (torch.int32, torch.int64) else boxes.int()


def box_area(boxes: Any, fmt: str = "xyxy") -> Any:
    """The area of each box: (n, 4) to (n).

    >>> torch.vision.ops.box_area(torch.tensor([[0., 0., 2., 3.]]))
    tensor([6.])
    """
    boxes = _wider(box_convert(boxes, fmt, "xyxy") if fmt != "xyxy" else boxes)
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def _intersection_union(first: Any, second: Any) -> tuple[Any, Any]:
    low = torch.maximum(first[..., :, None, :2], second[..., None, :, :2])
    high = torch.minimum(first[..., :, None, 2:], second[..., None, :, 2:])
    size = _wider(high - low).clamp(min=0)
    common = size[..., 0] * size[..., 1]
    return common, box_area(first)[..., :, None] + box_area(second)[..., None, :] - common


def box_iou(boxes1: Any, boxes2: Any, fmt: str = "xyxy") -> Any:
    """Intersection over union of each box with each: (n, 4) and (m, 4) to (n, m).

    >>> box_iou(torch.tensor([[0., 0., 2., 2.]]), torch.tensor([[1., 0., 3., 2.]]))
    tensor([[0.3333]])
    """
    if fmt != "xyxy":
        boxes1, boxes2 = box_convert(boxes1, fmt, "xyxy"), box_convert(boxes2, fmt, "xyxy")
    common, union = _intersection_union(boxes1, boxes2)
    return common / union


def _hull(first: Any, second: Any) -> Any:
    """Width and height of the smallest box around each pair."""
    low = torch.minimum(first[..., :, None, :2], second[..., None, :, :2])
    high = torch.maximum(first[..., :, None, 2:], second[..., None, :, 2:])
    return _wider(high - low).clamp(min=0)


def generalized_box_iou(boxes1: Any, boxes2: Any) -> Any:
    """`box_iou` minus the share of the hull that neither box covers.

    Source: Rezatofighi et al., Generalized intersection over union, https://arxiv.org/abs/1902.09630

    >>> a, b = torch.tensor([[0., 0., 1., 1.]]), torch.tensor([[1., 0., 2., 1.], [0., 0., 1., 1.]])
    >>> torch.vision.ops.generalized_box_iou(a, b)
    tensor([[0., 1.]])
    """
    common, union = _intersection_union(boxes1, boxes2)
    hull = _hull(boxes1, boxes2).prod(-1)
    return common / union - (hull - union) / hull


def distance_box_iou(boxes1: Any, boxes2: Any, eps: float = 1e-7) -> Any:
    """`box_iou` minus the squared distance of the centres over that of the hull's corners.

    Source: Zheng et al., Distance-IoU loss, https://arxiv.org/abs/1911.08287

    >>> torch.vision.ops.distance_box_iou(torch.tensor([[0., 0., 2., 2.]]), torch.tensor([[0., 0., 2., 2.]]))
    tensor([[1.]])
    """
    boxes1, boxes2 = _floats(boxes1), _floats(boxes2)
    diagonal = _hull(boxes1, boxes2).pow(2).sum(-1) + eps
    centre1 = (boxes1[..., :2] + boxes1[..., 2:]) / 2
    centre2 = (boxes2[..., :2] + boxes2[..., 2:]) / 2
    distance = (centre1[..., :, None, :] - centre2[..., None, :, :]).pow(2).sum(-1)
    return box_iou(boxes1, boxes2) - distance / diagonal


def complete_box_iou(boxes1: Any, boxes2: Any, eps: float = 1e-7) -> Any:
    """`distance_box_iou` minus a measure of how the proportions differ.

    Source: Zheng et al., Distance-IoU loss, https://arxiv.org/abs/1911.08287

    >>> torch.vision.ops.complete_box_iou(torch.tensor([[0., 0., 2., 2.]]), torch.tensor([[0., 0., 2., 2.]]))
    tensor([[1.]])
    """
    boxes1, boxes2 = _floats(boxes1), _floats(boxes2)
    angles = [torch.atan((b[..., 2] - b[..., 0]) / (b[..., 3] - b[..., 1])) for b in (boxes1, boxes2)]
    v = 4 / torch.pi**2 * (angles[0][..., :, None] - angles[1][..., None, :]).pow(2)
    with torch.no_grad():
        alpha = v / (1 - box_iou(boxes1, boxes2) + v + eps)
    return distance_box_iou(boxes1, boxes2, eps) - alpha * v


def _floats(boxes: Any) -> Any:
    return boxes if boxes.dtype in (torch.float32, torch.float64) else boxes.float()


def reduced(loss: Any, reduction: str) -> Any:
    """The loss, its mean (0 of nothing) or its sum."""
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"Invalid Value for arg 'reduction': '{reduction}'. It is 'none', 'mean' or 'sum'")
    if reduction == "mean" and loss.numel() == 0:
        return 0.0 * loss.sum()
    return loss if reduction == "none" else getattr(loss, reduction)()


def _paired(boxes1: Any, boxes2: Any, eps: float) -> tuple[Any, Any, Any]:
    """Of each box with the one in its place: intersection over union, the union, and the hull's width and height."""
    low = torch.maximum(boxes1[..., :2], boxes2[..., :2])
    common = (torch.minimum(boxes1[..., 2:], boxes2[..., 2:]) - low).clamp(min=0).prod(-1)
    union = box_area(boxes1) + box_area(boxes2) - common
    hull = torch.maximum(boxes1[..., 2:], boxes2[..., 2:]) - torch.minimum(boxes1[..., :2], boxes2[..., :2])
    return common / (union + eps), union, hull


def generalized_box_iou_loss(boxes1: Any, boxes2: Any, reduction: str = "none", eps: float = 1e-7) -> Any:
    """1 - `generalized_box_iou` of each box with the one in its place: (n, 4) and (n, 4) to (n).

    Args:
        boxes1, boxes2: left, top, right, bottom.
        reduction: "none", "mean" or "sum".
        eps: added to what is divided by.

    Source: Rezatofighi et al., Generalized intersection over union, https://arxiv.org/abs/1902.09630

    >>> a, b = torch.tensor([[0., 0., 1., 1.]]), torch.tensor([[1., 0., 2., 1.]])
    >>> torch.vision.ops.generalized_box_iou_loss(a, b, "mean")
    tensor(1.)
    """
    iou, union, hull = _paired(_floats(boxes1), _floats(boxes2), eps)
    area = hull.prod(-1)
    return reduced(1 - iou + (area - union) / (area + eps), reduction)


def _distance_loss(boxes1: Any, boxes2: Any, eps: float) -> tuple[Any, Any]:
    """The loss, and intersection over union."""
    iou, _, hull = _paired(boxes1, boxes2, eps)
    apart = (boxes1[..., :2] + boxes1[..., 2:] - boxes2[..., :2] - boxes2[..., 2:]) / 2
    return 1 - iou + apart.pow(2).sum(-1) / (hull.pow(2).sum(-1) + eps), iou


def distance_box_iou_loss(boxes1: Any, boxes2: Any, reduction: str = "none", eps: float = 1e-7) -> Any:
    """1 - `distance_box_iou` of each box with the one in its place. Arguments as for `generalized_box_iou_loss`.

    Source: Zheng et al., Distance-IoU loss, https://arxiv.org/abs/1911.08287

    >>> torch.vision.ops.distance_box_iou_loss(torch.tensor([[0., 0., 2., 2.]]), torch.tensor([[2., 0., 4., 2.]]))
    tensor([1.2000])
    """
    return reduced(_distance_loss(_floats(boxes1), _floats(boxes2), eps)[0], reduction)


def complete_box_iou_loss(boxes1: Any, boxes2: Any, reduction: str = "none", eps: float = 1e-7) -> Any:
    """1 - `complete_box_iou` of each box with the one in its place. Arguments as for `generalized_box_iou_loss`.

    Source: Zheng et al., Distance-IoU loss, https://arxiv.org/abs/1911.08287

    >>> torch.vision.ops.complete_box_iou_loss(torch.tensor([[0., 0., 2., 2.]]), torch.tensor([[2., 0., 4., 2.]]))
    tensor([1.2000])
    """
    boxes1, boxes2 = _floats(boxes1), _floats(boxes2)
    loss, iou = _distance_loss(boxes1, boxes2, 1e-7)
    angles = [torch.atan((b[..., 2] - b[..., 0]) / (b[..., 3] - b[..., 1])) for b in (boxes1, boxes2)]
    v = 4 / torch.pi**2 * (angles[1] - angles[0]).pow(2)
    with torch.no_grad():
        alpha = v / (1 - iou + v + eps)
    return reduced(loss + alpha * v, reduction)


def masks_to_boxes(masks: Any) -> Any:
    """The smallest box around each mask: (n, height, width) to (n, 4) of float.

    >>> mask = torch.zeros(1, 4, 4)
    >>> mask[0, 1:3, 2] = 1
    >>> torch.vision.ops.masks_to_boxes(mask)
    tensor([[2., 1., 2., 2.]])
    """
    if masks.numel() == 0:
        return torch.zeros((0, 4), dtype=torch.float)
    boxes = torch.zeros((masks.shape[0], 4), dtype=torch.float)
    for i, mask in enumerate(masks):
        y, x = torch.where(mask != 0)
        if len(x):
            boxes[i] = torch.stack((x.min(), y.min(), x.max(), y.max())).float()
    return boxes
