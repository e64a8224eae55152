"""What TensorBoard shows, as its protocol buffers: each function makes one Summary."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_DOUBLE, DT_FLOAT, DT_INT64, DT_STRING

from rushlight import _C

__all__ = [
    "array",
    "audio",
    "custom_scalars",
    "histogram",
    "histogram_raw",
    "hparams",
    "image",
    "pr_curve",
    "pr_curve_raw",
    "scalar",
    "tensor_proto",
    "text",
]


def array(values: Any) -> Any:
    """Tensors, arrays, numbers and lists of them as a NumPy array."""
    if isinstance(values, _C.Tensor):
        tensor = values.detach()
        return (tensor.float() if tensor.dtype in (_C.bfloat16, _C.float16) else tensor).numpy()
    if isinstance(values, (list, tuple)):
        return np.asarray([array(value) for value in values])
    if isinstance(values, (np.ndarray, np.generic, int, float, complex)):
        return np.asarray(values)
    raise NotImplementedError(f"Got {type(values)}, but numpy array or torch tensor are expected.")


def _one(**value: Any) -> Any:
    return Summary(value=[Summary.Value(**value)])


def _plugin(name: str, content: bytes = b"") -> Any:
    return SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=name, content=content))


def _shape(sizes: Any) -> Any:
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in sizes])


def scalar(tag: str, value: Any, new_style: bool = False, double_precision: bool = False) -> Any:
    """A number."""
    value = array(value)
    if value.size != 1:
        raise ValueError(f"add_scalar expects one number, but '{tag}' has shape {value.shape}")
    number = float(value.reshape(()))
    if not new_style:
        return _one(tag=tag, simple_value=number)
    kind, field = (DT_DOUBLE, "double_val") if double_precision else (DT_FLOAT, "float_val")
    return _one(tag=tag, tensor=TensorProto(dtype=kind, **{field: [number]}), metadata=_plugin("scalars"))


def tensor_proto(tag: str, tensor: Any) -> Any:
    """A tensor as it is."""
    values = array(tensor)
    kind = {"f": DT_DOUBLE if values.dtype == np.float64 else DT_FLOAT, "i": DT_INT64, "u": DT_INT64}.get(
        values.dtype.kind
    )
    if kind is None:
        raise ValueError(f"add_tensor: tensors of {tensor.dtype} cannot be written")
    field = {DT_DOUBLE: "double_val", DT_FLOAT: "float_val", DT_INT64: "int64_val"}[kind]
    proto = TensorProto(dtype=kind, tensor_shape=_shape(values.shape), **{field: values.reshape(-1).tolist()})
    return _one(tag=tag, tensor=proto, metadata=_plugin("tensor"))


# ---- histograms --------------------------------------------------------------------------------------------------


def default_bins() -> list[float]:
    """Limits that grow by 1.1 from 1e-12 to 1e20, on both sides of zero."""
    limits = []
    limit = 1e-12
    while limit < 1e20:
        limits.append(limit)
        limit *= 1.1
    return [-limit for limit in reversed(limits)] + [0.0] + limits


def histogram(tag: str, values: Any, bins: Any = "tensorflow", max_bins: int | None = None) -> Any:
    """How the values are distributed. Empty bins at both ends are left out."""
    data = array(values).reshape(-1).astype(np.float64)
    if data.size == 0:
        raise ValueError("The input has no element.")
    counts, limits = np.histogram(data, bins=default_bins() if bins == "tensorflow" else bins)
    if max_bins is not None and len(counts) > max_bins:
        step = len(counts) // max_bins
        counts = np.add.reduceat(counts, np.arange(0, len(counts), step))
        limits = np.append(limits[:-1:step], limits[-1])
    filled = np.flatnonzero(counts)
    if not filled.size:
        raise ValueError("The histogram is empty, please file a bug report.")
    # An upper limit for each bin, and before them an empty bin, for the lower limit of the first.
    first, last = filled[0], filled[-1] + 1
    return histogram_raw(
        tag, data.min(), data.max(), data.size, data.sum(), data.dot(data),
        limits[first : last + 1].tolist(), [0, *counts[first:last].tolist()],
    )  # fmt: skip


def histogram_raw(
    tag: str, min: float, max: float, num: float, sum: float, sum_squares: float, limits: Any, counts: Any
) -> Any:
    """A distribution that is known already: for each bin its upper limit and its count."""
    proto = HistogramProto(
        min=min, max=max, num=num, sum=sum, sum_squares=sum_squares, bucket_limit=limits, bucket=counts
    )
    return _one(tag=tag, histo=proto)


# ---- pictures and sounds -----------------------------------------------------------------------------------------


def image(tag: str, tensor: Any, rescale: float = 1, dataformats: str = "NCHW") -> Any:
    """A picture, of bytes or of floats from 0 to 1; several are put side by side."""
    pixels = array(tensor)
    scale = 1 if pixels.dtype == np.uint8 else 255
    pixels = (_height_width_channels(pixels, dataformats).astype(np.float32) * scale).clip(0, 255).astype(np.uint8)
    return _png(tag, pixels, rescale)


def _png(tag: str, pixels: Any, rescale: float = 1) -> Any:
    from PIL import Image

    height, width, channels = pixels.shape
    picture = Image.fromarray(pixels if channels > 1 else pixels[:, :, 0])
    if rescale != 1:
        height, width = int(height * rescale), int(width * rescale)
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, format="PNG")
    encoded = Summary.Image(height=height, width=width, colorspace=channels, encoded_image_string=out.getvalue())
    return _one(tag=tag, image=encoded)


def _height_width_channels(pixels: Any, layout: str) -> Any:
    """Pixels in the order HWC, with three channels (or four), whatever the order they come in."""
    layout = layout.upper()
    if len(set(layout)) != len(layout):
        raise AssertionError(f"You can not use the same dimension shordhand twice. input_format: {layout}")
    if len(layout) != pixels.ndim:
        raise AssertionError(
            f"size of input tensor and input format are different: tensor shape {pixels.shape}, input_format: {layout}"
        )
    axes = [layout.index(axis) for axis in "NHWC" if axis in layout]
    pixels = pixels.transpose(axes)
    if "C" not in layout:
        pixels = pixels[..., None]
    if "N" in layout:
        pixels = _side_by_side(pixels)
    return np.concatenate([pixels] * 3, 2) if pixels.shape[2] == 1 else pixels


def _side_by_side(pictures: Any) -> Any:
    """Pictures (N, H, W, C) in rows of eight."""
    count, height, width, channels = pictures.shape
    columns = min(count, 8)
    rows = -(-count // columns)
    sheet = np.zeros((rows * columns, height, width, channels), pictures.dtype)
    sheet[:count] = pictures
    sheet = sheet.reshape(rows, columns, height, width, channels).transpose(0, 2, 1, 3, 4)
    return sheet.reshape(rows * height, columns * width, channels)


def image_boxes(
    tag: str, tensor: Any, boxes: Any, rescale: float = 1, dataformats: str = "CHW", labels: Any = None
) -> Any:
    """A picture with boxes (left, top, right, bottom) drawn into it."""
    from PIL import Image, ImageDraw

    pixels = array(tensor)
    scale = 1 if pixels.dtype == np.uint8 else 255
    pixels = (_height_width_channels(pixels, dataformats).astype(np.float32) * scale).clip(0, 255).astype(np.uint8)
    picture = Image.fromarray(pixels)
    draw = ImageDraw.Draw(picture)
    for at, box in enumerate(array(boxes).tolist()):
        draw.rectangle(box, outline="red", width=2)
        if labels is not None:
            draw.text((box[0] + 2, box[1] + 2), str(labels[at]), fill="red")
    return _png(tag, np.asarray(picture), rescale)


def audio(tag: str, tensor: Any, sample_rate: int = 44100) -> Any:
    """A sound: samples from -1 to 1 of one channel, as 16-bit WAV."""
    import wave

    samples = array(tensor).squeeze()
    if abs(samples).max() > 1:
        samples = samples.clip(-1, 1)
    if samples.ndim != 1:
        raise AssertionError(f"input tensor should be 1 dimensional, but has shape {samples.shape}")
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes((samples * 32767.0).astype("<i2").tobytes())
    sound = Summary.Audio(
        sample_rate=sample_rate,
        num_channels=1,
        length_frames=samples.size,
        encoded_audio_string=out.getvalue(),
        content_type="audio/wav",
    )
    return _one(tag=tag, audio=sound)


# ---- text, curves, settings --------------------------------------------------------------------------------------


def text(tag: str, content: str) -> Any:
    """A text, read as Markdown."""
    from tensorboard.plugins.text.plugin_data_pb2 import TextPluginData

    proto = TensorProto(dtype=DT_STRING, string_val=[content.encode()], tensor_shape=_shape([1]))
    metadata = _plugin("text", TextPluginData(version=0).SerializeToString())
    return _one(tag=f"{tag}/text_summary", metadata=metadata, tensor=proto)


def pr_curve(tag: str, labels: Any, predictions: Any, num_thresholds: int = 127, weights: Any = None) -> Any:
    """Precision against recall, of a classifier with two classes, at evenly spaced thresholds."""
    num_thresholds = min(num_thresholds, 127)
    truth, predicted = array(labels).reshape(-1).astype(bool), array(predictions).reshape(-1).astype(np.float64)
    weight = np.ones(len(truth)) if weights is None else np.broadcast_to(array(weights), truth.shape)
    at = np.clip(np.floor(predicted * (num_thresholds - 1)), 0, num_thresholds - 1).astype(np.int64)
    positive, negative = (
        np.bincount(at, weights=weight * chosen, minlength=num_thresholds)[::-1].cumsum()[::-1]
        for chosen in (truth, ~truth)
    )
    tiny = 1e-7
    counts = (positive, negative, negative[0] - negative, positive[0] - positive)
    precision = positive / np.maximum(tiny, positive + negative)
    recall = positive / np.maximum(tiny, positive[0])
    return pr_curve_raw(tag, *counts, precision, recall, num_thresholds)


def pr_curve_raw(tag: str, tp: Any, fp: Any, tn: Any, fn: Any, precision: Any, recall: Any, num_thresholds: int) -> Any:
    """The same from what has been counted already."""
    from tensorboard.plugins.pr_curve.plugin_data_pb2 import PrCurvePluginData

    num_thresholds = min(num_thresholds, 127)
    rows = np.stack([array(row) for row in (tp, fp, tn, fn, precision, recall)]).astype(np.float32)
    content = PrCurvePluginData(version=0, num_thresholds=num_thresholds).SerializeToString()
    proto = TensorProto(dtype=DT_FLOAT, float_val=rows.reshape(-1).tolist(), tensor_shape=_shape(rows.shape))
    return _one(tag=tag, metadata=_plugin("pr_curves", content), tensor=proto)


def custom_scalars(layout: dict[str, dict[str, Any]]) -> Any:
    """Charts that show several numbers: {category: {title: ["Multiline" or "Margin", tags]}}."""
    from tensorboard.plugins.custom_scalar import layout_pb2

    categories = []
    for category, charts in layout.items():
        made = []
        for title, (kind, tags) in charts.items():
            if kind == "Margin":
                if len(tags) != 3:
                    raise AssertionError(f"a Margin chart needs three tags (value, lower, upper), but got {tags}")
                series = layout_pb2.MarginChartContent.Series(value=tags[0], lower=tags[1], upper=tags[2])
                made.append(layout_pb2.Chart(title=title, margin=layout_pb2.MarginChartContent(series=[series])))
            else:
                made.append(layout_pb2.Chart(title=title, multiline=layout_pb2.MultilineChartContent(tag=tags)))
        categories.append(layout_pb2.Category(title=category, chart=made))
    content = layout_pb2.Layout(category=categories).SerializeToString()
    proto = TensorProto(dtype=DT_STRING, string_val=[content], tensor_shape=TensorShapeProto())
    return _one(tag="custom_scalars__config__", tensor=proto, metadata=_plugin("custom_scalars"))


def hparams(settings: dict[str, Any], metrics: dict[str, Any], choices: dict[str, list[Any]] | None = None) -> Any:
    """The settings of a run and the names of its results: three summaries (experiment, start, end)."""
    from google.protobuf import struct_pb2
    from tensorboard.plugins.hparams import api_pb2, metadata
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo, SessionStartInfo

    for name, value in (("hparam_dict", settings), ("metric_dict", metrics)):
        if not isinstance(value, dict):
            raise TypeError(f"parameter: {name} should be a dictionary, but got {type(value).__name__}")
    choices = choices or {}
    infos = []
    start = SessionStartInfo()
    for key, value in settings.items():
        if value is None:
            continue
        if isinstance(value, _C.Tensor) or isinstance(value, np.generic):
            value = value.item()
        kinds = ((bool, "bool_value", api_pb2.DATA_TYPE_BOOL), (str, "string_value", api_pb2.DATA_TYPE_STRING),
                 ((int, float), "number_value", api_pb2.DATA_TYPE_FLOAT64))  # fmt: skip
        for kind, field, data_type in kinds:
            if isinstance(value, kind):  # type: ignore[arg-type]
                setattr(start.hparams[key], field, value)
                domain = None
                if key in choices:
                    if not all(isinstance(choice, kind) for choice in choices[key]):  # type: ignore[arg-type]
                        raise TypeError(
                            f"parameter: hparam_domain_discrete[{key}] must be a list of same type as {value!r}"
                        )
                    values = [struct_pb2.Value(**{field: choice}) for choice in choices[key]]
                    domain = struct_pb2.ListValue(values=values)
                infos.append(api_pb2.HParamInfo(name=key, type=data_type, domain_discrete=domain))
                break
        else:
            raise ValueError(
                f"value should be one of int, float, str, bool, or torch.Tensor, but {key} is a {type(value).__name__}"
            )
    results = [api_pb2.MetricInfo(name=api_pb2.MetricName(tag=key)) for key in metrics]
    experiment = api_pb2.Experiment(hparam_infos=infos, metric_infos=results)
    end = SessionEndInfo(status=api_pb2.Status.Value("STATUS_SUCCESS"))
    return tuple(
        _one(tag=tag, metadata=metadata.create_summary_metadata(HParamsPluginData(version=0, **{field: content})))
        for tag, field, content in (
            (metadata.EXPERIMENT_TAG, "experiment", experiment),
            (metadata.SESSION_START_INFO_TAG, "session_start_info", start),
            (metadata.SESSION_END_INFO_TAG, "session_end_info", end),
        )
    )
