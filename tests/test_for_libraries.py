"""What libraries on top of PyTorch ask for, beyond what programs do."""

import copy
import gc
import importlib
import pickle
import subprocess
import sys
import warnings
import weakref

import pytest

from .conftest import CANDIDATE, ROOT, torch


def module(name):
    return importlib.import_module(f"{CANDIDATE}.{name}")


nn = torch.nn
pytree, overrides, library = module("utils._pytree"), module("overrides"), module("library")
here = pytest.mark.skipif(
    CANDIDATE == "torch", reason="what rushlight counts, refuses or pretends where PyTorch has the thing itself"
)


# ---- what a module keeps -------------------------------------------------------------------------------------------


def test_members_are_in_the_dictionary_of_the_module():
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    for name in ("_parameters", "_buffers", "_modules"):
        assert name in vars(net) and isinstance(vars(net[1])[name], dict)
    assert list(vars(net[0])["_parameters"]) == ["weight", "bias"] and vars(net)["_modules"]["0"] is net[0]
    assert vars(net[1])["_buffers"]["running_mean"] is net[1].running_mean
    assert repr(net[0]._buffers) == "{}"


def test_changes_of_the_dictionaries_are_seen_by_the_module():
    layer = nn.Linear(2, 3)
    new = nn.Parameter(torch.zeros(3, 2))
    layer._parameters["weight"] = new
    assert layer.weight is new and dict(layer.named_parameters())["weight"] is new
    vars(layer)["_parameters"]["bias"] = None
    assert layer.bias is None and "bias" not in layer.state_dict()
    layer.bias = nn.Parameter(torch.ones(3))
    assert layer._parameters["bias"] is layer.bias
    del layer._parameters["bias"]
    assert not hasattr(layer, "bias")
    layer._parameters.update(bias=new)
    assert layer.bias is new and layer._parameters.pop("bias") is new and not hasattr(layer, "bias")
    layer._parameters = {"other": new}
    assert not hasattr(layer, "weight") and layer.other is new
    layer.bias = None  # an attribute like others
    assert "bias" not in layer._parameters


def test_an_attribute_in_front_of_a_parameter():
    layer = nn.Linear(2, 3)
    weight, plain = layer.weight, torch.zeros(3, 2)
    layer.__dict__["weight"] = plain
    assert layer.weight is plain and layer._parameters["weight"] is weight


def test_modules_with_members_are_copied_pickled_and_freed():
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        other._modules["0"]._parameters["weight"] = nn.Parameter(torch.zeros(2, 2))
        assert other[0].weight.sum() == 0 and net[0].weight.abs().sum() > 0
    kept = copy.copy(net[0])._parameters
    assert kept["weight"] is net[0].weight
    gc.disable()
    try:
        layer = nn.Linear(2, 2)
        gone = weakref.ref(layer)
        parameters = layer._parameters
        del layer
        assert gone() is None  # without a cycle
        parameters["weight"] = None
    finally:
        gc.enable()


# ---- every function that is called ---------------------------------------------------------------------------------


class Log(overrides.TorchFunctionMode):
    def __init__(self):
        self.names = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.names.append(func.__name__)
        return func(*args, **(kwargs or {}))


def test_a_mode_hears_of_functions_methods_and_operators():
    x = torch.ones(2, 2)
    with Log() as log:
        y = torch.exp(x).sum(0) @ torch.ones(2)
    torch.exp(x)
    assert log.names[:2] == ["exp", "sum"] and len(log.names) == 4 and y == 4 * torch.exp(torch.tensor(1.0))


def test_modes_nest_and_may_change_what_is_called():
    class Twice(overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            out = func(*args, **(kwargs or {}))
            return out * 2 if func is torch.exp else out

    x = torch.zeros(1)
    with Log() as outer:
        with Twice():
            assert torch.exp(x) == 2
        assert torch.exp(x) == 1
    assert outer.names.count("exp") == 2
    with pytest.raises(ZeroDivisionError), Twice():
        raise ZeroDivisionError
    assert torch.exp(x) == 1


def test_a_mode_and_a_subclass():
    class Marked(torch.Tensor):
        pass

    x = torch.ones(2).as_subclass(Marked)
    with Log() as log:
        y = x + 1
    assert type(y) is Marked and len(log.names) >= 1


# ---- operations counted --------------------------------------------------------------------------------------------


def counts(*modules_and_inputs, backward=True):
    counter_class = module("utils.flop_counter").FlopCounterMode
    with counter_class(display=False) as counter:
        layer, *inputs = modules_and_inputs
        out = layer(*inputs)
        if backward:
            out.sum().backward()
    return counter


@pytest.mark.parametrize(
    "layer, inputs, flops",
    [
        (lambda: nn.Linear(4, 8), lambda: [torch.randn(3, 4)], 384),
        (lambda: nn.Linear(4, 8), lambda: [torch.randn(3, 4, requires_grad=True)], 576),
        (lambda: nn.Linear(4, 8, bias=False), lambda: [torch.randn(2, 3, 4)], 768),
        (lambda: nn.Conv2d(3, 8, 3, padding=1), lambda: [torch.randn(2, 3, 16, 16)], 442368),
        (lambda: nn.ConvTranspose2d(3, 8, 3), lambda: [torch.randn(2, 3, 8, 8, requires_grad=True)], 165888),
        (lambda: lambda a, b: a @ b, lambda: [torch.randn(2, 3, 4, 5), torch.randn(2, 3, 5, 2)], 480),
        (lambda: torch.mv, lambda: [torch.randn(3, 4), torch.randn(4)], 0),
    ],
)
def test_flops(layer, inputs, flops):
    given = inputs()
    made = layer()
    wanted = any(x.requires_grad for x in given) or isinstance(made, nn.Module)
    assert counts(made, *given, backward=wanted).get_total_flops() == flops


@here
def test_flops_by_module_and_as_a_table(capsys):
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 2)))
    counter = counts(net, torch.randn(3, 4))
    found = {k: {str(op): n for op, n in v.items()} for k, v in counter.get_flop_counts().items()}
    assert found["Sequential.2"] == {"aten.addmm": 480, "aten.mm": 960}
    assert found["Global"] == found["Sequential"] == {"aten.addmm": 672, "aten.mm": 1152}
    assert counter.get_table(1) == (
        "Module          FLOP    % Total\n------------  ------  ---------\nSequential      1824    100.00%\n"
        "- aten.addmm     672     36.84%\n- aten.mm       1152     63.16%"
    )
    with module("utils.flop_counter").FlopCounterMode():
        torch.randn(3000, 40) @ torch.randn(40, 50)
    assert "Global     12.000M    100.00%" in capsys.readouterr().out


# ---- operators of one's own ----------------------------------------------------------------------------------------


def test_a_custom_operator():
    @library.custom_op("rushlight_tests::scaled", mutates_args=())
    def scaled(x: torch.Tensor, by: float = 2.0) -> torch.Tensor:
        return x * by

    with pytest.raises(RuntimeError, match="autograd"):
        scaled(torch.ones(2, requires_grad=True)).sum().backward()

    @scaled.register_fake
    def _(x, by=2.0):
        return torch.empty_like(x)

    def setup(ctx, inputs, output):
        ctx.by = inputs[1]

    scaled.register_autograd(lambda ctx, grad: (grad * ctx.by, None), setup_context=setup)
    x = torch.ones(2, requires_grad=True)
    torch.ops.rushlight_tests.scaled(x, by=3.0).sum().backward()
    assert x.grad.tolist() == [3, 3] and scaled(torch.ones(1)).tolist() == [2]
    assert not hasattr(torch.ops.rushlight_tests, "absent")


def test_a_library_declares_and_implements():
    lib = library.Library("rushlight_more", "DEF")
    lib.define("plus(Tensor x, int n) -> Tensor")
    lib.impl("plus", lambda x, n: x + n, "CPU")
    assert torch.ops.rushlight_more.plus(torch.zeros(1), 2) == 2
    lib.define("minus(Tensor x, int n) -> Tensor")
    library.register_kernel(
        "rushlight_more::minus", "default" if CANDIDATE == "rushlight" else "cpu", lambda x, n: x - n
    )
    assert torch.ops.rushlight_more.minus(torch.zeros(1), 2) == -2


def test_overloads_of_an_operator_are_keys():
    aten = torch.ops.aten
    table = {aten.add.Tensor: 1, aten.sort.default: 2, aten.sort.stable: 3, aten._to_copy.default: 4}
    assert table[aten.add.Tensor] == 1 and len(table) == 4 and str(aten.mm) == "aten.mm"
    x = torch.ones(2)
    assert aten._to_copy.default(x, dtype=torch.float64).dtype == torch.float64
    assert aten.index.Tensor(torch.arange(4).view(2, 2), [None, torch.tensor([1])]).tolist() == [[1], [3]]


# ---- lists of tensors, trees ---------------------------------------------------------------------------------------


def test_foreach():
    a, b = [torch.ones(2), torch.full((3,), 2.0)], [torch.full((2,), 3.0), torch.full((3,), 4.0)]
    assert [t[0].item() for t in torch._foreach_add(a, b, alpha=2)] == [7, 10]
    assert [t[0].item() for t in torch._foreach_mul(a, 3)] == [3, 6]
    assert [t[0].item() for t in torch._foreach_mul(a, [3, 4])] == [3, 8]
    assert [t[0].item() for t in torch._foreach_sqrt([torch.full((1,), 9.0)])] == [3]
    assert [t[0].item() for t in torch._foreach_maximum(a, 1.5)] == [1.5, 2]
    assert [t[0].item() for t in torch._foreach_addcmul(a, b, b, value=0.5)] == [5.5, 10]
    assert [round(t.item(), 4) for t in torch._foreach_norm(b)] == [4.2426, 6.9282]
    assert [t[0].item() for t in torch._foreach_lerp(a, b, 0.5)] == [2, 3]
    torch._foreach_addcdiv_(a, b, b, 2.0)
    torch._foreach_div_(a, torch.tensor(2.0))
    assert [t[0].item() for t in a] == [1.5, 2]
    torch._foreach_copy_(a, b)
    torch._foreach_neg_(a)
    torch._foreach_zero_(b)
    assert [t[0].item() for t in a] == [-3, -4] and not any(t.any() for t in b)
    with pytest.raises(RuntimeError):
        torch._foreach_add([], 1)


def test_trees_with_paths():
    tree = {"a": 1, "b": [2, (3,)]}
    leaves, spec = pytree.tree_flatten_with_path(tree)
    assert [pytree.keystr(path) for path, _ in leaves] == ["['a']", "['b'][0]", "['b'][1][0]"]
    assert pytree.tree_unflatten([leaf for _, leaf in leaves], spec) == tree
    assert pytree.tree_map_with_path(lambda path, x: (len(path), x), tree) == {"a": (1, 1), "b": [(2, 2), ((3, 3),)]}
    assert pytree.key_get(tree, leaves[2][0]) == 3
    assert pytree._get_node_type([1]) is list and pytree.SUPPORTED_NODES[dict].flatten_fn({"x": 1}) == ([1], ["x"])
    assert pytree._dict_flatten_with_keys({"k": 1}) == ([(pytree.MappingKey("k"), 1)], ["k"])


# ---- names ---------------------------------------------------------------------------------------------------------


def test_dtypes_that_have_names_only():
    assert torch.uint16.itemsize == 2 and not torch.uint16.is_floating_point and repr(torch.uint64) == "torch.uint64"
    assert torch.float8_e4m3fn.is_floating_point and torch.float8_e4m3fn != torch.float8_e5m2
    assert isinstance(torch.uint32, torch.dtype) and len({torch.uint16, torch.uint32, torch.int16}) == 3
    assert pickle.loads(pickle.dumps(torch.uint16)) is torch.uint16 and torch.chalf is torch.complex32
    assert torch.iinfo(torch.uint64).max == 2**64 - 1 and torch.finfo(torch.float8_e4m3fn).max == 448


@here
@pytest.mark.parametrize("dtype", ["float8_e5m2", "complex32", "qint8"])
def test_no_tensor_has_them(dtype):
    dtype = getattr(torch, dtype)
    for make in (
        lambda: torch.zeros(2, dtype=dtype),
        lambda: torch.ones(2).to(dtype),
        lambda: torch.tensor([1], dtype=dtype),
    ):
        with pytest.raises(NotImplementedError, match=str(dtype)):
            make()


def test_dictionaries_of_modules_are_complete():
    assert vars(torch.optim)["Adam"] is torch.optim.Adam and "SGD" in torch.optim.__dict__
    script = f"import {CANDIDATE} as torch; print('Adam' in torch.optim.__dict__, type(torch.optim).__name__)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == ["True", "module"], done.stderr


@here
@pytest.mark.parametrize(
    "use",
    [
        lambda: module("distributed.tensor").distribute_tensor(torch.ones(2)),
        lambda: module("distributed.fsdp").FullyShardedDataParallel(nn.Linear(1, 1)),
        lambda: module("distributed.checkpoint").save({}, "x"),
        lambda: module("distributed.device_mesh").init_device_mesh("cpu", (1,)),
        lambda: module("distributed.rpc").init_rpc("worker"),
        lambda: module("distributed.algorithms.join").Join([]),
        lambda: module("nn.attention.flex_attention").BlockMask(),
        lambda: module("fx.experimental.proxy_tensor").make_fx(lambda x: x),
        lambda: module("_subclasses.fake_tensor").FakeTensorMode(),
    ],
)
def test_parts_that_are_not_here_can_be_imported_and_say_so_when_used(use):
    with pytest.raises(NotImplementedError, match=r"^torch\.\S+ is not in rushlight: "):
        use()


def test_classes_that_nothing_is_an_instance_of():
    assert not isinstance(torch.ones(1), module("distributed.tensor").DTensor)
    assert not isinstance(3, torch.SymInt) and not isinstance(nn.Linear(1, 1), torch.ScriptModule)
    shard = module("distributed.tensor").Shard
    assert shard(0) == shard(0) != shard(1) and shard(1).is_shard(1) and not shard(1).is_replicate()
    assert torch.autograd.forward_ad.unpack_dual(torch.ones(1)).tangent is None
    assert module("_subclasses.fake_tensor").is_fake(torch.ones(1)) is False


def test_checks():
    torch._check(True)
    torch._assert_async(torch.tensor(True))
    for use, kind in (
        (lambda: torch._check(False, lambda: "so"), RuntimeError),
        (lambda: torch._check_value(False, lambda: "so"), ValueError),
        (lambda: torch._assert_async(torch.tensor(False), "so"), RuntimeError),
        (lambda: torch._assert(False, "so"), AssertionError),
    ):
        with pytest.raises(kind, match="so"):
            use()


def test_datapipes_can_be_written():
    data = module("utils.data")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")

        @data.functional_datapipe("rushlight_doubled")
        class Doubler(data.IterDataPipe):
            def __init__(self, source):
                self.source = source

            def __iter__(self):
                return (2 * x for x in self.source)

    assert list(Doubler([1, 2]).rushlight_doubled()) == [4, 8]
    with pytest.raises(AttributeError):
        Doubler([]).absent


@here
def test_metadata_says_that_torch_is_there():
    script = (
        "import importlib.metadata as m, torch, torchvision; print(m.version('torch') == torch.__version__, "
        "m.version('torchvision') == torchvision.__version__, torch.__name__, torch.torch is torch, "
        "'torch' in m.packages_distributions()['torch'])"
    )
    done = subprocess.run([sys.executable, "-m", "rushlight", "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == ["True", "True", "torch", "True", "True"], done.stderr


# ---- parameters of one's own class ---------------------------------------------------------------------------------


class Packed(nn.Parameter):
    moves = 0

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return super().__torch_function__(func, types, args, kwargs or {})

    def to(self, *args, **kwargs):
        self.moves += 1
        return self


def test_a_parameter_decides_how_it_moves():
    layer = nn.Linear(2, 2)
    layer.weight = Packed(torch.ones(2, 2))
    layer.to("cpu")
    assert type(layer.weight) is Packed and layer.weight.moves == 1
    assert type(layer.weight.data) is torch.Tensor


# ---- small things --------------------------------------------------------------------------------------------------


def test_arrays_without_recording():
    x = torch.ones(2, requires_grad=True)
    with torch.no_grad():
        assert x.numpy().tolist() == [1, 1]
    with pytest.raises(RuntimeError, match="requires grad"):
        x.numpy()


def test_flat_rows():
    utils = module("_utils")
    tensors = [torch.ones(2, 2), torch.zeros(3)]
    flat = utils._flatten_dense_tensors(tensors)
    assert flat.tolist() == [1, 1, 1, 1, 0, 0, 0]
    assert [t.shape for t in utils._unflatten_dense_tensors(flat, tensors)] == [(2, 2), (3,)]


def test_a_loader_of_another_kind():
    """As fastai does: an iterator of PyTorch's on an object that has what a DataLoader has."""
    dataloader = module("utils.data.dataloader")

    class Numbers:
        def __iter__(self):
            return iter(range(3))

    class Loader:
        dataset, collate_fn, generator = Numbers(), staticmethod(lambda x: x * 10), None
        _dataset_kind, _auto_collation, _index_sampler = dataloader._DatasetKind.Iterable, False, [0, 1, 2, 3]
        num_workers, timeout, drop_last, pin_memory, pin_memory_device, worker_init_fn = 0, 0, False, False, "", None
        multiprocessing_context, prefetch_factor, persistent_workers, in_order = None, None, False, True
        _multiprocessing_context, _IterableDataset_len_called = None, None

    assert list(dataloader._SingleProcessDataLoaderIter(Loader())) == [0, 10, 20]


# ---- Sobol sequences: the values are PyTorch's ---------------------------------------------------------------------


def test_sobol():
    engine = torch.quasirandom.SobolEngine(3)
    assert engine.draw(4).tolist() == [[0, 0, 0], [0.5, 0.5, 0.5], [0.75, 0.25, 0.25], [0.25, 0.75, 0.75]]
    assert engine.num_generated == 4 and torch.equal(engine.fast_forward(2).draw(1), engine.reset().draw(7)[6:])
    wide = torch.quasirandom.SobolEngine(1111)
    assert wide.sobolstate.sum().item() == 17932991659939 and wide.draw(9)[1:].double().mean() > 0.4
    scrambled = torch.quasirandom.SobolEngine(3, scramble=True, seed=5)
    wanted = [[0.4803, 0.1173, 0.1240], [0.9115, 0.8687, 0.5391], [0.5351, 0.2715, 0.3079]]
    assert torch.allclose(scrambled.draw(3), torch.tensor(wanted), atol=1e-4)
    assert repr(scrambled) == "SobolEngine(dimension=3, scramble=True, seed=5)"
    assert scrambled.reset().draw_base2(2, dtype=torch.float64).dtype == torch.float64
    with pytest.raises(ValueError, match="power of 2"):
        scrambled.draw_base2(3)
    with pytest.raises(ValueError, match="dimension"):
        torch.quasirandom.SobolEngine(0)
    torch.manual_seed(3)
    first = torch.quasirandom.SobolEngine(2, scramble=True).draw(2)
    torch.manual_seed(3)
    assert torch.equal(first, torch.quasirandom.SobolEngine(2, scramble=True).draw(2))
