"""`SummaryWriter`: what a training run logs for TensorBoard."""

from __future__ import annotations

import os
import time
from typing import Any

from tensorboard.compat.proto import event_pb2
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from rushlight.utils.tensorboard import summary

__all__ = ["FileWriter", "SummaryWriter"]


class FileWriter:
    """One file of events.

    Args:
        log_dir: the folder, made where it is missing.
        max_queue: how many events wait to be written.
        flush_secs: how often, in seconds, they are written.
        filename_suffix: at the end of the file's name.
    """

    def __init__(self, log_dir: Any, max_queue: int = 10, flush_secs: int = 120, filename_suffix: str = "") -> None:
        self._arguments = (str(log_dir), max_queue, flush_secs, filename_suffix)
        self.event_writer = EventFileWriter(*self._arguments)

    def get_logdir(self) -> str:
        """The folder."""
        folder: str = self.event_writer.get_logdir()
        return folder

    def add_event(self, event: Any, step: Any = None, walltime: float | None = None) -> None:
        """Write an event."""
        event.wall_time = time.time() if walltime is None else walltime
        if step is not None:
            event.step = int(step)
        self.event_writer.add_event(event)

    def add_summary(self, summary: Any, global_step: Any = None, walltime: float | None = None) -> None:
        """Write a summary."""
        self.add_event(event_pb2.Event(summary=summary), global_step, walltime)

    def flush(self) -> None:
        """Write what waits."""
        self.event_writer.flush()

    def close(self) -> None:
        """Write what waits, and close the file."""
        self.event_writer.close()

    def reopen(self) -> None:
        """Begin another file."""
        self.event_writer = EventFileWriter(*self._arguments)


class SummaryWriter:
    """Writes what a run logs into a folder that `tensorboard --logdir` shows. Also a context manager.

    In every method `tag` names what is logged (`"loss/train"`: slashes make groups), `global_step` says when in the training,
    `walltime` when by the clock. Values may be tensors, NumPy arrays or numbers.

    Args:
        log_dir: the folder; by default `runs/DATE_HOST` and the comment.
        comment: at the end of the default folder's name.
        purge_step: events from this step on, of a run that crashed, are hidden.
        max_queue, flush_secs: how many events wait to be written, and how long.
        filename_suffix: at the end of the names of files.

    Example:
        >>> from rushlight.utils.tensorboard import SummaryWriter
        >>> with SummaryWriter("runs/first") as writer:  # doctest: +SKIP
        ...     for step in range(10):
        ...         writer.add_scalar("loss", 1 / (step + 1), step)

    Reference: https://pytorch.org/docs/stable/tensorboard.html
    """

    def __init__(
        self,
        log_dir: Any = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = 10,
        flush_secs: int = 120,
        filename_suffix: str = "",
    ) -> None:
        if not log_dir:
            import socket

            log_dir = os.path.join("runs", time.strftime("%b%d_%H-%M-%S") + "_" + socket.gethostname() + comment)
        self.log_dir = str(log_dir)
        self.purge_step = purge_step
        self.max_queue = max_queue
        self.flush_secs = flush_secs
        self.filename_suffix = filename_suffix
        self.file_writer: FileWriter | None = None
        self.all_writers: dict[str, FileWriter] | None = None
        self._get_file_writer()

    def _new_writer(self, folder: str) -> FileWriter:
        return FileWriter(folder, self.max_queue, self.flush_secs, self.filename_suffix)

    def _get_file_writer(self) -> FileWriter:
        if self.file_writer is None or self.all_writers is None:
            self.file_writer = self._new_writer(self.log_dir)
            self.all_writers = {self.file_writer.get_logdir(): self.file_writer}
            if self.purge_step is not None:
                step = self.purge_step
                self.file_writer.add_event(Event(step=step, file_version="brain.Event:2"))
                self.file_writer.add_event(Event(step=step, session_log=SessionLog(status=SessionLog.START)))
                self.purge_step = None
        return self.file_writer

    def get_logdir(self) -> str:
        """The folder that is written to."""
        return self.log_dir

    def _add(self, made: Any, global_step: Any, walltime: float | None) -> None:
        self._get_file_writer().add_summary(made, global_step, walltime)

    def add_scalar(
        self,
        tag: str,
        scalar_value: Any,
        global_step: Any = None,
        walltime: float | None = None,
        new_style: bool = False,
        double_precision: bool = False,
    ) -> None:
        """Log a number."""
        self._add(summary.scalar(tag, scalar_value, new_style, double_precision), global_step, walltime)

    def add_scalars(
        self, main_tag: str, tag_scalar_dict: dict[str, Any], global_step: Any = None, walltime: float | None = None
    ) -> None:
        """Log numbers that belong into one chart: each gets a folder of its own."""
        walltime = time.time() if walltime is None else walltime
        top = self._get_file_writer().get_logdir()
        writers = self.all_writers or {}
        for tag, value in tag_scalar_dict.items():
            folder = top + "/" + main_tag.replace("/", "_") + "_" + tag
            if folder not in writers:
                writers[folder] = self._new_writer(folder)
            writers[folder].add_summary(summary.scalar(main_tag, value), global_step, walltime)

    def add_tensor(self, tag: str, tensor: Any, global_step: Any = None, walltime: float | None = None) -> None:
        """Log a tensor as it is."""
        self._add(summary.tensor_proto(tag, tensor), global_step, walltime)

    def add_histogram(
        self,
        tag: str,
        values: Any,
        global_step: Any = None,
        bins: Any = "tensorflow",
        walltime: float | None = None,
        max_bins: int | None = None,
    ) -> None:
        """Log how values are distributed. `bins`: "tensorflow", or what `numpy.histogram` takes."""
        self._add(summary.histogram(tag, values, bins, max_bins), global_step, walltime)

    def add_histogram_raw(
        self,
        tag: str,
        min: Any,
        max: Any,
        num: Any,
        sum: Any,
        sum_squares: Any,
        bucket_limits: Any,
        bucket_counts: Any,
        global_step: Any = None,
        walltime: float | None = None,
    ) -> None:
        """Log a distribution that has been counted already."""
        if len(bucket_limits) != len(bucket_counts):
            raise ValueError("len(bucket_limits) != len(bucket_counts), see the document.")
        made = summary.histogram_raw(tag, min, max, num, sum, sum_squares, bucket_limits, bucket_counts)
        self._add(made, global_step, walltime)

    def add_image(
        self,
        tag: str,
        img_tensor: Any,
        global_step: Any = None,
        walltime: float | None = None,
        dataformats: str = "CHW",
    ) -> None:
        """Log a picture: bytes, or floats from 0 to 1."""
        self._add(summary.image(tag, img_tensor, dataformats=dataformats), global_step, walltime)

    def add_images(
        self,
        tag: str,
        img_tensor: Any,
        global_step: Any = None,
        walltime: float | None = None,
        dataformats: str = "NCHW",
    ) -> None:
        """Log several pictures, side by side."""
        self._add(summary.image(tag, img_tensor, dataformats=dataformats), global_step, walltime)

    def add_image_with_boxes(
        self,
        tag: str,
        img_tensor: Any,
        box_tensor: Any,
        global_step: Any = None,
        walltime: float | None = None,
        rescale: float = 1,
        dataformats: str = "CHW",
        labels: Any = None,
    ) -> None:
        """Log a picture with boxes (left, top, right, bottom), and a label for each."""
        if isinstance(labels, str):
            labels = [labels]
        self._add(summary.image_boxes(tag, img_tensor, box_tensor, rescale, dataformats, labels), global_step, walltime)

    def add_figure(
        self, tag: str, figure: Any, global_step: Any = None, close: bool = True, walltime: float | None = None
    ) -> None:
        """Log a figure of matplotlib, or a list of them, and close them."""
        import numpy as np

        def drawn(one: Any) -> Any:
            from matplotlib.backends.backend_agg import FigureCanvasAgg

            canvas = FigureCanvasAgg(one)
            canvas.draw()
            pixels = np.asarray(canvas.buffer_rgba())[:, :, :3].copy()
            if close:
                import matplotlib.pyplot as plt

                plt.close(one)
            return pixels

        if isinstance(figure, list):
            self.add_images(tag, np.stack([drawn(one) for one in figure]), global_step, walltime, dataformats="NHWC")
        else:
            self.add_image(tag, drawn(figure), global_step, walltime, dataformats="HWC")

    def add_audio(
        self,
        tag: str,
        snd_tensor: Any,
        global_step: Any = None,
        sample_rate: int = 44100,
        walltime: float | None = None,
    ) -> None:
        """Log a sound: samples from -1 to 1."""
        self._add(summary.audio(tag, snd_tensor, sample_rate), global_step, walltime)

    def add_text(self, tag: str, text_string: str, global_step: Any = None, walltime: float | None = None) -> None:
        """Log a text, read as Markdown."""
        self._add(summary.text(tag, text_string), global_step, walltime)

    def add_pr_curve(
        self,
        tag: str,
        labels: Any,
        predictions: Any,
        global_step: Any = None,
        num_thresholds: int = 127,
        weights: Any = None,
        walltime: float | None = None,
    ) -> None:
        """Log precision against recall, from labels (0 or 1) and predicted probabilities."""
        self._add(summary.pr_curve(tag, labels, predictions, num_thresholds, weights), global_step, walltime)

    def add_pr_curve_raw(
        self,
        tag: str,
        true_positive_counts: Any,
        false_positive_counts: Any,
        true_negative_counts: Any,
        false_negative_counts: Any,
        precision: Any,
        recall: Any,
        global_step: Any = None,
        num_thresholds: int = 127,
        weights: Any = None,
        walltime: float | None = None,
    ) -> None:
        """Log precision against recall that has been counted already."""
        counts = (true_positive_counts, false_positive_counts, true_negative_counts, false_negative_counts)
        self._add(summary.pr_curve_raw(tag, *counts, precision, recall, num_thresholds), global_step, walltime)

    def add_hparams(
        self,
        hparam_dict: dict[str, Any],
        metric_dict: dict[str, Any],
        hparam_domain_discrete: dict[str, list[Any]] | None = None,
        run_name: str | None = None,
        global_step: Any = None,
    ) -> None:
        """Log the settings of a run and its results, into a folder of their own, to be compared with other runs."""
        made = summary.hparams(hparam_dict, metric_dict, hparam_domain_discrete)
        folder = os.path.join(self._get_file_writer().get_logdir(), run_name or str(time.time()))
        with SummaryWriter(log_dir=folder) as writer:
            for one in made:
                writer._get_file_writer().add_summary(one, global_step)
            for tag, value in metric_dict.items():
                writer.add_scalar(tag, value, global_step)

    def add_custom_scalars(self, layout: dict[str, dict[str, Any]]) -> None:
        """Log which numbers the charts of the tab "custom scalars" show."""
        self._add(summary.custom_scalars(layout), None, None)

    def add_custom_scalars_multilinechart(
        self, tags: list[str], category: str = "default", title: str = "untitled"
    ) -> None:
        """Log one chart with several lines."""
        self.add_custom_scalars({category: {title: ["Multiline", tags]}})

    def add_custom_scalars_marginchart(
        self, tags: list[str], category: str = "default", title: str = "untitled"
    ) -> None:
        """Log one chart with a line between two others."""
        self.add_custom_scalars({category: {title: ["Margin", tags]}})

    def add_embedding(
        self,
        mat: Any,
        metadata: Any = None,
        label_img: Any = None,
        global_step: Any = None,
        tag: str = "default",
        metadata_header: list[str] | None = None,
    ) -> None:
        """Log vectors (N, D) for the projector, with N labels (or rows of them) and N pictures if there are."""
        from tensorboard.plugins.projector.projector_config_pb2 import EmbeddingInfo

        vectors = summary.array(mat)
        if vectors.ndim != 2:
            raise AssertionError(
                f"mat should be 2D, where mat.size(0) is the number of data points, got {vectors.shape}"
            )
        place = os.path.join("00000" if global_step is None else str(global_step).zfill(5), tag)
        folder = os.path.join(self._get_file_writer().get_logdir(), place)
        os.makedirs(folder, exist_ok=True)
        info = EmbeddingInfo(
            tensor_name=f"{tag}:{os.path.dirname(place)}", tensor_path=os.path.join(place, "tensors.tsv")
        )
        _write_table(os.path.join(folder, "tensors.tsv"), vectors.tolist())
        if metadata is not None:
            if len(metadata) != len(vectors):
                raise AssertionError(f"#labels should equal with #data points: {len(metadata)} and {len(vectors)}")
            rows = [row if metadata_header else [row] for row in metadata]
            _write_table(os.path.join(folder, "metadata.tsv"), [metadata_header, *rows] if metadata_header else rows)
            info.metadata_path = os.path.join(place, "metadata.tsv")
        if label_img is not None:
            pictures = summary.array(label_img)
            if len(pictures) != len(vectors):
                raise AssertionError(f"#images should equal with #data points: {len(pictures)} and {len(vectors)}")
            _write_sprite(os.path.join(folder, "sprite.png"), pictures)
            info.sprite.image_path = os.path.join(place, "sprite.png")
            info.sprite.single_image_dim.extend([pictures.shape[3], pictures.shape[2]])
        self._project(info)

    def _project(self, info: Any) -> None:
        from google.protobuf import text_format
        from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

        if not hasattr(self, "_projector"):
            self._projector = ProjectorConfig()
        self._projector.embeddings.append(info)
        with open(os.path.join(self.get_logdir(), "projector_config.pbtxt"), "w") as file:
            file.write(text_format.MessageToString(self._projector))

    def add_graph(
        self, model: Any, input_to_model: Any = None, verbose: bool = False, use_strict_trace: bool = True
    ) -> None:
        """Not there.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("SummaryWriter.add_graph needs torch.jit.trace, which rushlight does not have yet")

    def add_onnx_graph(self, prototxt: Any) -> None:
        """Not there.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("SummaryWriter.add_onnx_graph is not there: rushlight does not read ONNX files")

    def add_video(
        self, tag: str, vid_tensor: Any, global_step: Any = None, fps: float = 4, walltime: float | None = None
    ) -> None:
        """Not there.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("SummaryWriter.add_video is not there; add_images logs single pictures")

    def add_mesh(self, tag: str, vertices: Any, *args: Any, **kwargs: Any) -> None:
        """Not there.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("SummaryWriter.add_mesh is not there; add_figure logs a picture of the mesh")

    def flush(self) -> None:
        """Write what waits."""
        for writer in (self.all_writers or {}).values():
            writer.flush()

    def close(self) -> None:
        """Write what waits, and close the files. What is added later goes into new ones."""
        for writer in (self.all_writers or {}).values():
            writer.flush()
            writer.close()
        self.file_writer = self.all_writers = None

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()


def _write_table(path: str, rows: Any) -> None:
    with open(path, "w", encoding="utf-8") as file:
        for row in rows:
            file.write("\t".join(str(cell) for cell in row) + "\n")


def _write_sprite(path: str, pictures: Any) -> None:
    """Pictures (N, C, H, W) on a square sheet."""
    import math

    import numpy as np
    from PIL import Image

    count, channels, height, width = pictures.shape
    side = math.ceil(math.sqrt(count))
    sheet = np.zeros((side * side, channels, height, width), pictures.dtype)
    sheet[:count] = pictures
    sheet = sheet.reshape(side, side, channels, height, width).transpose(0, 3, 1, 4, 2)
    sheet = sheet.reshape(side * height, side * width, channels)
    scale = 1 if sheet.dtype == np.uint8 else 255
    pixels = (sheet.astype(np.float32) * scale).clip(0, 255).astype(np.uint8)
    Image.fromarray(pixels if channels > 1 else pixels[:, :, 0]).save(path)
