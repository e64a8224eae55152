"""What training scripts touch besides tensors and modules."""

import importlib
import os
import subprocess
import sys
import threading
import typing
import warnings
from collections import OrderedDict, namedtuple

import pytest

from .conftest import CANDIDATE, ROOT, torch


def module(name):
    return importlib.import_module(f"{CANDIDATE}.{name}")


checkpointing, pytree, benchmark = (module(f"utils.{n}") for n in ("checkpoint", "_pytree", "benchmark"))
profiler, distributed, parallel, data = (module(n) for n in ("profiler", "distributed", "nn.parallel", "utils.data"))
here = pytest.mark.skipif(CANDIDATE == "torch", reason="PyTorch does it")


# ---- checkpointing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reentrant", [True, False])
@pytest.mark.parametrize("how", ["whole", "sequential"])
def test_checkpoint(reentrant, how):
    model = torch.nn.Sequential(
        torch.nn.Linear(4, 8), torch.nn.Dropout(0.5), torch.nn.Tanh(), torch.nn.Linear(8, 2), torch.nn.Softmax(1)
    )
    x = torch.rand(3, 4, requires_grad=True)

    def run(call):
        model.zero_grad()
        x.grad = None
        torch.manual_seed(1)
        y = call(x)
        (y * y).sum().backward()
        return [y.tolist(), x.grad.tolist(), *(p.grad.tolist() for p in model.parameters()), torch.rand(1).item()]

    expected = run(model)
    if how == "whole":
        assert run(lambda x: checkpointing.checkpoint(model, x, use_reentrant=reentrant)) == expected
    else:
        assert run(lambda x: checkpointing.checkpoint_sequential(model, 2, x, use_reentrant=reentrant)) == expected


def test_checkpoint_runs_again_only_as_far_as_needed():
    seen = []

    def part(x, *, scale):
        seen.append("begin")
        y = x.sin().exp() * scale
        z = y * y
        seen.append("end")
        return z

    x = torch.ones(3, requires_grad=True)
    y = checkpointing.checkpoint(part, x, use_reentrant=False, scale=2.0)
    (first,) = torch.autograd.grad(y.sum(), x, retain_graph=True)
    assert seen == ["begin", "end", "begin"]
    y.sum().backward()
    assert x.grad.tolist() == first.tolist() and seen == ["begin", "end", "begin", "begin"]
    with torch.no_grad():
        checkpointing.checkpoint(part, x, use_reentrant=False, scale=1.0)
    assert seen[-2:] == ["begin", "end"]


def test_checkpoints_within_checkpoints_and_second_derivatives():
    def whole(x, keep):
        inner = lambda z: z.sin() * z.exp()
        y = keep(inner, x)
        return y**2

    def saved(f, x):
        return checkpointing.checkpoint(f, x, use_reentrant=False)

    x = torch.ones(3, requires_grad=True)
    got = []
    for y in (
        whole(x, lambda f, x: f(x)),
        checkpointing.checkpoint(lambda x: whole(x, saved), x, use_reentrant=False),
    ):
        (first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        (second,) = torch.autograd.grad(first.sum(), x)
        got.append((first.tolist(), second.tolist()))
    assert got[0] == got[1]


def test_checkpoint_errors():
    calls = []

    def changing(x):
        calls.append(1)
        return (x.sin() * x).exp() if len(calls) == 1 else x.sin()

    x = torch.ones(2, requires_grad=True)
    with pytest.raises(checkpointing.CheckpointError, match="different number of tensors"):
        checkpointing.checkpoint(changing, x, use_reentrant=False).sum().backward()
    with pytest.raises(ValueError, match="Unexpected keyword"):
        checkpointing.checkpoint(changing, x, use_reentrant=True, scale=1)
    with pytest.warns(UserWarning, match="use_reentrant"):
        checkpointing.checkpoint(torch.sin, x)
    with pytest.warns(UserWarning, match="None of the inputs"):
        checkpointing.checkpoint(torch.sin, torch.ones(1), use_reentrant=True)


# ---- trees -------------------------------------------------------------------------------------------------------

Point = namedtuple("Point", "x y")


def test_trees():
    tree = {"b": [1, (2, 3)], "a": None, "p": Point(4, OrderedDict(q=5))}
    leaves, spec = pytree.tree_flatten(tree)
    assert leaves == [1, 2, 3, None, 4, 5] and spec.num_leaves == 6
    assert pytree.tree_unflatten(leaves, spec) == tree
    assert pytree.tree_map(lambda x: x * 2, [1, (2,), {"k": 3}]) == [2, (4,), {"k": 6}]
    assert pytree.tree_map(lambda a, b: a + b, (1, [2]), (3, [4])) == (4, [6])
    assert type(pytree.tree_map(str, Point(1, 2))) is Point
    assert pytree.tree_map_only(int, lambda x: -x, [1, "a"]) == [-1, "a"]
    assert pytree.tree_all(bool, [1, 2]) and not pytree.tree_any(bool, [0, [0]])
    assert pytree.tree_leaves(([], {})) == []
    assert pytree.tree_structure((1, 2)) == pytree.tree_structure((3, 4)) != pytree.tree_structure([1, 2])
    assert repr(spec).startswith("TreeSpec(dict, ['b', 'a', 'p'], [TreeSpec(list, None, [*,\n    TreeSpec(tuple,")
    result = pytree.tree_map(lambda t: t + 1, torch.ones(3).max(0))
    assert isinstance(result, torch.return_types.max) and result.values.item() == 2
    with pytest.raises(ValueError):
        pytree.tree_unflatten([1], spec)
    with pytest.raises(ValueError):
        pytree.tree_map(lambda a, b: a, (1, 2), [1, 2])
    with pytest.raises(TypeError):
        pytree.tree_unflatten([1], 3)

    class Box:
        def __init__(self, inside):
            self.inside = inside

    pytree.register_pytree_node(Box, lambda box: ([box.inside], None), lambda items, _: Box(*items))
    assert pytree.tree_map(lambda x: x + 1, Box([1])).inside == [2]


# ---- one process -------------------------------------------------------------------------------------------------


def test_data_parallel_is_the_module():
    inner = torch.nn.Linear(2, 1)
    model = torch.nn.DataParallel(inner)
    x = torch.ones(1, 2)
    assert list(model.state_dict()) == ["module.weight", "module.bias"]
    assert torch.equal(model(x), inner(x)) and torch.equal(parallel.data_parallel(inner, x), inner(x))
    assert repr(model).startswith("DataParallel(\n  (module): Linear(")


@here
def test_a_world_of_one(monkeypatch):
    assert distributed.is_available() and not distributed.is_initialized()
    with pytest.raises(ValueError, match="init_process_group"):
        distributed.get_rank()
    with pytest.raises(ValueError, match="init_process_group"):
        parallel.DistributedDataParallel(torch.nn.Linear(1, 1))
    with pytest.raises(ValueError, match="WORLD_SIZE"):
        distributed.init_process_group("gloo")
    with pytest.raises(NotImplementedError, match="world_size=2"):
        distributed.init_process_group("gloo", rank=0, world_size=2)
    monkeypatch.setenv("WORLD_SIZE", "1")
    distributed.init_process_group("gloo")
    try:
        with pytest.raises(ValueError, match="twice"):
            distributed.init_process_group("gloo")
        assert (distributed.get_rank(), distributed.get_world_size(), distributed.get_backend()) == (0, 1, "gloo")
        x, into = torch.arange(3.0), [torch.zeros(3)]
        distributed.all_reduce(x, op=distributed.ReduceOp.SUM)
        distributed.broadcast(x, src=0)
        assert distributed.barrier(async_op=True).wait() is True
        distributed.all_gather(into, x)
        assert x.tolist() == into[0].tolist() == [0, 1, 2]
        objects = [None]
        distributed.all_gather_object(objects, {"a": 1})
        assert objects == [{"a": 1}]
        with pytest.raises(ValueError):
            distributed.broadcast(x, src=1)
        model = parallel.DistributedDataParallel(torch.nn.Linear(1, 1))
        with model.no_sync():
            model(torch.ones(1, 1)).sum().backward()
        assert list(model.state_dict()) == ["module.weight", "module.bias"]
        assert list(data.DistributedSampler(range(3), shuffle=False)) == [0, 1, 2]
    finally:
        distributed.destroy_process_group()
    assert not distributed.is_initialized()


@here
def test_collective_operations_with_gradients(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert distributed.Backend("NCCL") == distributed.Backend.NCCL == "nccl"
    distributed.init_process_group("gloo", rank=0, world_size=1)
    try:
        collective = module("distributed.nn")
        x = torch.ones(2, requires_grad=True)
        (gathered,) = collective.all_gather(x)
        total = collective.all_reduce(gathered * 2) + collective.broadcast(x, src=0)
        (total + collective.reduce_scatter(torch.empty(2), [x])).sum().backward()
        assert x.grad.tolist() == [4, 4] and gathered is not x
        with pytest.raises(ValueError, match="one process"):
            collective.scatter([x, x])
    finally:
        distributed.destroy_process_group()


def test_futures():
    futures = module("futures")
    first, second = futures.Future(), futures.Future()
    seen = []
    following = first.then(lambda f: f.value() + 1)
    failing = first.then(lambda f: f.value() / 0)
    first.add_done_callback(lambda f: seen.append(f.value()))
    together = futures.collect_all([first, second])
    setter = threading.Timer(0.01, first.set_result, [1])
    setter.start()
    assert following.wait() == 2 and first.done() and not together.done()
    setter.join()
    first.add_done_callback(lambda f: seen.append("late"))
    assert seen == [1, "late"]
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        failing.wait()
    with pytest.raises(RuntimeError):
        first.set_result(2)
    with pytest.raises(RuntimeError):
        second.value()
    second.set_exception(KeyError("no"))
    with pytest.raises(KeyError):
        together.wait()
    assert [f.value() for f in futures.collect_all([first, following]).wait()] == [1, 2]
    with pytest.raises(KeyError):
        futures.wait_all([first, second])
    assert torch.Future is futures.Future or CANDIDATE == "torch"
    assert futures.wait_all([]) == [] and futures.wait_all([first]) == [1]


def test_layouts_have_names():
    x = torch.ones(2)
    assert x.layout == torch.strided and x.layout != torch.sparse_coo and torch.sparse_csr != torch.sparse_csc
    assert str(torch.sparse_coo) == "torch.sparse_coo" and isinstance(torch.jagged, torch.layout)
    if CANDIDATE != "torch":
        with pytest.raises(NotImplementedError, match="strided tensors only"):
            torch.zeros(2, layout=torch.sparse_coo)


def test_distributed_sampler():
    deal = lambda rank, **options: list(data.DistributedSampler(range(11), num_replicas=3, rank=rank, **options))
    assert [deal(r, shuffle=False) for r in range(3)] == [[0, 3, 6, 9], [1, 4, 7, 10], [2, 5, 8, 0]]
    assert [deal(r, shuffle=False, drop_last=True) for r in range(3)] == [[0, 3, 6], [1, 4, 7], [2, 5, 8]]
    assert [deal(r, seed=3) for r in range(3)] == DEALT
    sampler = data.DistributedSampler(range(5), 2, 0)
    first = list(sampler)
    sampler.set_epoch(1)
    assert list(sampler) != first and len(sampler) == 3
    with pytest.raises(ValueError, match="Invalid rank"):
        data.DistributedSampler(range(5), 2, 2)


# ---- what is not there -------------------------------------------------------------------------------------------


def test_names_that_libraries_annotate_with():
    assert torch._C.Graph is torch.Graph and not isinstance(1, torch._C.Value | torch.TensorType)
    with pytest.raises(NotImplementedError if CANDIDATE == "rushlight" else TypeError):
        torch.TensorType()
    dynamo = module("_dynamo")
    dynamo.mark_static_address(torch.ones(2))
    dynamo.mark_static(torch.ones(2))


def test_functions_that_pytorch_removed_name_their_successors():
    for name in ("eig", "lstsq", "matrix_rank", "solve", "symeig"):
        with pytest.raises(RuntimeError, match="torch.linalg"):
            getattr(torch, name)(torch.eye(2), torch.eye(2))


def test_norm_except_dim():
    v = torch.arange(24.0).reshape(2, 3, 4)
    for dim in range(3):
        others = [d for d in range(3) if d != dim]
        torch.testing.assert_close(torch.norm_except_dim(v, 2, dim), v.square().sum(others, keepdim=True).sqrt())
    assert torch.norm_except_dim(v, 1, -1) == v.sum()
    with pytest.raises(IndexError):
        torch.norm_except_dim(v, 2, 5)


def test_compile_gives_the_same_results():
    model, x = torch.nn.Linear(2, 2), torch.ones(1, 2)
    with pytest.raises(RuntimeError, match="mode or options"):
        torch.compile(model, mode="default", options={"a": 1})
    assert not torch.compiler.is_compiling()

    if CANDIDATE != "torch":
        assert torch.equal(torch.compile(model)(x), model(x))

        @torch.compile(fullgraph=True, mode="max-autotune")
        def twice(x):
            return x * 2

        assert twice(x).tolist() == [[2, 2]]
        torch._dynamo.config.verbose = True
        with pytest.raises(NotImplementedError):
            torch.compile(model, backend=lambda graph, inputs: graph)


@here
@pytest.mark.parametrize(
    "call",
    [
        lambda: torch.jit.save(torch.nn.Linear(1, 1), "x.pt"),
        lambda: torch.jit.load("x.pt"),
        lambda: torch.fx.symbolic_trace(torch.nn.Linear(1, 1)),
        lambda: torch.onnx.export(torch.nn.Linear(1, 1), torch.ones(1), "x.onnx"),
        lambda: torch.hub.load("pytorch/vision", "resnet18"),
        lambda: torch.nested.nested_tensor([]),
        lambda: data.DataChunk,
    ],
)
def test_refusals_name_what_they_refuse(call):
    with pytest.raises(NotImplementedError, match=r"^torch\.(jit|fx|onnx|hub|nested|utils\.data)\.\w+"):
        call()


@here
def test_scripted_and_traced_programs_run():
    @torch.jit.script
    def scaled(x, factor: float = 2.0):
        if bool(x.sum() > 0):
            return x * factor
        return x

    class Old(torch.jit.ScriptModule):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(2, 1)

        @torch.jit.script_method
        def forward(self, x):
            return self.linear(x)

    x = torch.ones(3, 2)
    assert scaled(x).tolist() == x.mul(2).tolist() and scaled(-x).tolist() == x.neg().tolist()
    assert module("jit.annotations").List is typing.List  # noqa: UP006
    assert Old()(x).shape == (3, 1) and isinstance(Old(), torch.jit.ScriptModule)
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout()).eval()
    for made in (torch.jit.script(model), torch.jit.trace(model, x), torch.jit.freeze(torch.jit.trace(model, (x,)))):
        assert torch.equal(made(x), model(x))
    assert torch.jit.script(model).state_dict().keys() == model.state_dict().keys()
    with pytest.raises(RuntimeError):
        torch.jit.script(3)


def test_marks_for_compilers():
    @torch.jit.ignore
    def f(x):
        return x

    @torch.jit.unused
    def g(x):
        return x

    assert f(1) == g(1) == 1 and not torch.jit.is_scripting() and not torch.jit.is_tracing()
    assert not isinstance(torch.nn.Linear(1, 1), (torch.fx.GraphModule, torch.jit.ScriptModule))
    assert torch.jit.annotate(int, 3) == 3


@here
def test_hub_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert torch.hub.get_dir() == str(tmp_path / "hub")
    source = tmp_path / "weights.bin"
    source.write_bytes(b"abc")
    target = tmp_path / "copy.bin"
    torch.hub.download_url_to_file(source.as_uri(), str(target), hash_prefix="ba7816bf")
    assert target.read_bytes() == b"abc"
    with pytest.raises(RuntimeError, match="invalid hash"):
        torch.hub.download_url_to_file(source.as_uri(), str(tmp_path / "other"), hash_prefix="00")
    assert sorted(os.listdir(tmp_path)) == ["copy.bin", "weights.bin"]


# ---- clocks ------------------------------------------------------------------------------------------------------


def test_profiler(tmp_path):
    plan = profiler.schedule(wait=1, warmup=1, active=2, repeat=1, skip_first=1)
    assert [plan(i).name for i in range(6)] == ["NONE", "NONE", "WARMUP", "RECORD", "RECORD_AND_SAVE", "NONE"]
    ready = []
    with profiler.profile(
        activities=[profiler.ProfilerActivity.CPU],
        schedule=profiler.schedule(wait=0, warmup=1, active=2),
        on_trace_ready=lambda prof: ready.append({row.key: row.count for row in prof.key_averages()}),
    ) as prof:
        for _ in range(3):
            with profiler.record_function("work"):
                torch.ones(2) + 1
            prof.step()
    assert len(ready) == 1 and ready[0]["work"] == 2
    with profiler.profile() as prof:
        with profiler.record_function("block"):
            torch.ones(2) + 1
    assert "block" in prof.key_averages().table(sort_by="cpu_time_total", row_limit=5)
    prof.export_chrome_trace(str(tmp_path / "trace.json"))
    assert '"block"' in (tmp_path / "trace.json").read_text()


def test_timer():
    timer = benchmark.Timer("x + x", "x = torch.ones(4)", label="add", sub_label="4", description="new")
    measured = timer.timeit(100)
    assert 0 < measured.mean < 0.1 and measured.number_per_run == 100 and "add: 4" in repr(measured)
    assert len(timer.blocked_autorange(min_run_time=0.01).times) > 1
    assert "add" in str(benchmark.Compare([measured])) and "new" in str(benchmark.Compare([measured]))


# ---- devices and switches ----------------------------------------------------------------------------------------


def test_cuda_answers():
    cuda = torch.cuda
    assert (cuda.is_available(), cuda.device_count(), cuda.is_initialized(), cuda.is_bf16_supported()) == (
        False,
        0,
        False,
        False,
    )
    cuda.manual_seed(1), cuda.manual_seed_all(1), cuda.empty_cache()
    assert cuda.memory_allocated() == cuda.max_memory_allocated() == 0 and torch.version.cuda is None
    assert torch.device("cuda" if cuda.is_available() else "cpu") == torch.device("cpu")
    for call in (
        cuda.current_device,
        cuda.synchronize,
        lambda: cuda.get_device_properties(0),
        lambda: torch.zeros(1).cuda(),
    ):
        with pytest.raises(AssertionError, match="not compiled with CUDA"):
            call()


def test_accelerator():
    accelerator = torch.accelerator
    assert (accelerator.is_available(), accelerator.current_accelerator(), accelerator.device_count()) == (
        False,
        None,
        0,
    )
    device = accelerator.current_accelerator().type if accelerator.is_available() else "cpu"
    assert torch.device(device).type == "cpu"
    for call in (accelerator.synchronize, accelerator.current_device_index, accelerator.memory_allocated):
        with pytest.raises(RuntimeError, match="Cannot access accelerator device"):
            call()


def test_backends():
    cudnn = torch.backends.cudnn
    cudnn.benchmark, cudnn.deterministic = True, True
    assert cudnn.benchmark and cudnn.deterministic and not cudnn.is_available() and cudnn.version() is None
    cudnn.benchmark = cudnn.deterministic = False
    assert isinstance(cudnn.conv.fp32_precision, str) and not torch.backends.mps.is_available()
    torch.set_float32_matmul_precision("high")
    assert torch.get_float32_matmul_precision() == "high"
    torch.set_float32_matmul_precision("highest")
    torch.use_deterministic_algorithms(True, warn_only=True)
    assert torch.are_deterministic_algorithms_enabled() and torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(False)


def test_a_device_as_a_context():
    with torch.device("cpu"):
        assert torch.nn.Linear(1, 1).weight.device == torch.device("cpu")
    if CANDIDATE != "torch":
        with pytest.raises(AssertionError, match="not compiled with CUDA"):
            with torch.device("cuda"):
                pass
    with torch.autograd.set_multithreading_enabled(False):
        assert "PyTorch" in torch.__config__.show() and "threads" in torch.__config__.parallel_info()
    assert torch.jit.wait(torch.jit.fork(torch.neg, torch.ones(1))).item() == -1


def test_older_tensor_types():
    assert torch.FloatTensor([1, 2]).dtype is torch.float32 and torch.LongTensor(2, 3).shape == (2, 3)
    x = torch.tensor([1.5])
    assert isinstance(x, torch.FloatTensor) and not isinstance(x, torch.LongTensor)
    assert x.type() == "torch.FloatTensor" and x.type("torch.LongTensor").tolist() == [1]
    assert x.type(torch.DoubleTensor).dtype is torch.float64
    torch.set_default_tensor_type("torch.DoubleTensor")
    assert torch.zeros(1).dtype is torch.float64
    torch.set_default_tensor_type(torch.FloatTensor)
    with pytest.raises(ValueError):
        x.type("foo")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert torch.arange(4).resize(2, 2).tolist() == [[0, 1], [2, 3]]


def test_result_types():
    assert isinstance(torch.ones(3).sort(), torch.return_types.sort)
    assert isinstance(torch.linalg.qr(torch.eye(2)), torch.return_types.linalg_qr)
    for name in ("slogdet", "qr", "svd", "geqrf"):
        assert str(getattr(torch, name)(torch.eye(2))).startswith(f"torch.return_types.{name}(\n")
    assert isinstance(torch.slogdet(torch.eye(2)), torch.return_types.slogdet)
    assert str(torch.histogram(torch.ones(3), 2)).startswith("torch.return_types.histogram(\nhist=tensor([0., 3.]),\n")
    assert torch.return_types.topk((torch.tensor(1), torch.tensor(2))).indices.item() == 2
    assert issubclass(torch._C._LinAlgError, RuntimeError)
    with pytest.raises(torch._C._LinAlgError):
        torch.linalg.inv(torch.zeros(2, 2))


def test_numbers_that_might_be_symbols():
    assert (torch.sym_int(2.5), torch.sym_float(2), torch.sym_max(1, 2.0), torch.sym_not(True)) == (2, 2.0, 2.0, False)
    assert (torch.sym_ite(False, 1, 2), torch.sym_sqrt(4), torch.sym_min(1, 2)) == (2, 2.0, 1)


# ---- programs ----------------------------------------------------------------------------------------------------

SCRIPT = """
import torch, torch.nn as nn, torch.distributed as dist
from torch.amp import autocast, GradScaler
from torch.cuda.amp import autocast as old_autocast
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.checkpoint import checkpoint
from torch.utils._pytree import tree_map
from torch.utils.data.distributed import DistributedSampler
from torch.profiler import profile, record_function, ProfilerActivity
import torch.utils.benchmark as benchmark
import torch.backends.cudnn as cudnn
import torch.jit, torch.fx, torch.onnx, torch.hub
import torch._dynamo
torch._dynamo.config.suppress_errors = True
cudnn.benchmark = True
torch.cuda.manual_seed_all(0)
device = torch.accelerator.current_accelerator().type if torch.accelerator.is_available() else "cpu"
model = torch.compile(nn.Linear(2, 2).to(device))
scaler = GradScaler(device)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(3):
    with autocast(device_type=device, dtype=torch.bfloat16):
        loss = model(torch.ones(4, 2, device=device)).float().pow(2).mean()
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad(set_to_none=True)
print("done", dist.is_initialized(), loss.item() > 0)
"""


@here
def test_a_script_of_todays_style():
    run = subprocess.run(
        [sys.executable, "-m", "rushlight", "-c", SCRIPT],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
    )
    assert run.stdout == "done False True\n", run.stderr


# Made by running the tests above on PyTorch.
DEALT = [[9, 6, 2, 10], [0, 4, 8, 7], [3, 5, 1, 9]]
