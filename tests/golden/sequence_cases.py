"""What is recorded of recurrent, attention and loss layers: functions of `torch` (PyTorch's or rushlight's) that give a
list of tensors. Random numbers are the same bits in both, so inputs and weights need no recording."""

import itertools

CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def cases(**options):
    """One case for each combination of the options; its name tells them."""

    def register(function):
        for values in itertools.product(*options.values()):
            chosen = dict(zip(options, values, strict=True))
            name = " ".join([function.__name__, *(f"{k}={v}" for k, v in chosen.items())])
            CASES[name] = lambda torch, chosen=chosen: function(torch, **chosen)
        return function

    return register


def parts(value):
    """All tensors in nested tuples and lists."""
    if isinstance(value, (tuple, list)):
        return [t for v in value for t in parts(v)]
    return [] if value is None else [value]


def some(values, most=40):
    """At most so many of a list, from all over it."""
    step = -(-len(values) // most)
    return values[::step] if step > 1 else values


def gradients(outputs, leaves):
    """The outputs, and the leaves' gradients of a sum in which every element counts differently."""
    outputs = [o for o in parts(outputs) if o.dtype.is_floating_point]
    total = sum(((o * 0.7 + 0.3).sin() * (i + 1)).sum() for i, o in enumerate(outputs) if o.requires_grad)
    total.backward()
    return [*outputs, *(leaf.grad for leaf in leaves if leaf.grad is not None)]


def run(module, *inputs, **kwargs):
    leaves = [x for x in parts(inputs) if x.dtype.is_floating_point and x.requires_grad]
    return gradients(module(*inputs, **kwargs), [*leaves, *module.parameters()])


# ---- recurrent layers


def network(torch, kind, **kwargs):
    torch.manual_seed(3)
    if kind == "RNN_relu":
        return torch.nn.RNN(3, 4, nonlinearity="relu", **kwargs)
    return getattr(torch.nn, kind)(3, 4, **kwargs)


KINDS = ("LSTM", "GRU", "RNN", "RNN_relu")


@cases(kind=KINDS, layers=(1, 2), bidirectional=(False, True))
def recurrent(torch, kind, layers, bidirectional):
    net = network(torch, kind, num_layers=layers, bidirectional=bidirectional)
    return run(net, torch.randn(5, 2, 3, requires_grad=True))


@cases(kind=KINDS)
def with_state(torch, kind):
    net = network(torch, kind, num_layers=2, bias=False, batch_first=True)
    x, h, c = torch.randn(2, 5, 3), torch.randn(2, 2, 4, requires_grad=True), torch.randn(2, 2, 4, requires_grad=True)
    return run(net, x, (h, c) if kind == "LSTM" else h)


@cases(kind=KINDS, bidirectional=(False, True))
def packed(torch, kind, bidirectional):
    net = network(torch, kind, bidirectional=bidirectional)
    rnn = torch.nn.utils.rnn
    x = torch.randn(4, 6, 3, requires_grad=True)
    sequences = rnn.pack_padded_sequence(x, [2, 6, 1, 4], batch_first=True, enforce_sorted=False)
    out, state = net(sequences)
    return gradients([rnn.pad_packed_sequence(out)[0], state], [x, *net.parameters()])


@case
def many_rows(torch):  # the layout that larger batches use
    return run(network(torch, "LSTM"), torch.randn(3, 11, 3, requires_grad=True))


@cases(bidirectional=(False, True))
def projection(torch, bidirectional):
    net = network(torch, "LSTM", num_layers=2, proj_size=2, bidirectional=bidirectional)
    return run(net, torch.randn(4, 6, 3, requires_grad=True))


@case
def dropout_between_layers(torch):
    net = network(torch, "GRU", num_layers=3, dropout=0.4)
    torch.manual_seed(7)
    return run(net, torch.randn(4, 6, 3, requires_grad=True))


@case
def one_sequence(torch):
    return run(network(torch, "LSTM", batch_first=True), torch.randn(5, 3, requires_grad=True))


@cases(kind=("LSTMCell", "GRUCell", "RNNCell"))
def cell(torch, kind):
    torch.manual_seed(3)
    net = getattr(torch.nn, kind)(3, 4)
    x, y = torch.randn(2, 3, requires_grad=True), torch.randn(2, 3, requires_grad=True)
    out = net(y, net(x))
    return gradients([out], [x, y, *net.parameters()])


TEXT = ("a rushlight is a rush dipped in fat: it lights at once, it costs next to nothing, and it burns for as long "
        "as a page takes to read. " * 8)  # fmt: skip


def batches(torch, steps, length, size=4):
    letters = sorted(set(TEXT))
    codes = torch.tensor([letters.index(c) for c in TEXT])
    torch.manual_seed(11)
    for _ in range(steps):
        at = torch.randint(0, len(TEXT) - length - 1, (size,)).tolist()
        yield torch.stack([codes[i : i + length] for i in at]), torch.stack([codes[i + 1 : i + length + 1] for i in at])


def curve(torch, model, forward, steps, length):
    """The loss of each step of SGD with momentum, by hand."""
    speed = [torch.zeros_like(p) for p in model.parameters()]
    losses = []
    for x, y in batches(torch, steps, length):
        logits = forward(x)
        loss = torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), y.reshape(-1))
        model.zero_grad()
        loss.backward()
        with torch.no_grad():
            for p, v in zip(model.parameters(), speed, strict=True):
                v.mul_(0.9).add_(p.grad)
                p.sub_(0.1 * v)
        losses.append(loss.detach())
    return losses


@cases(kind=("LSTM", "GRU"))
def training_curve_of_a_language_model(torch, kind):
    torch.manual_seed(0)
    letters = len(set(TEXT))
    model = torch.nn.ModuleDict({
        "embed": torch.nn.Embedding(letters, 16),
        "net": getattr(torch.nn, kind)(16, 32, num_layers=2, batch_first=True),
        "head": torch.nn.Linear(32, letters),
    })  # fmt: skip
    return curve(torch, model, lambda x: model["head"](model["net"](model["embed"](x))[0]), 40, 24)


# ---- attention


@cases(shape=((2, 2, 5, 4), (3, 40, 6)), kind=("plain", "causal", "bool", "float", "learned"), dropout=(0.0, 0.3))
def attention(torch, shape, kind, dropout):
    torch.manual_seed(4)
    q = torch.randn(shape, requires_grad=True)
    k, v = (
        torch.randn(*shape[:-2], 7, shape[-1], requires_grad=True),
        torch.randn(*shape[:-2], 7, 3, requires_grad=True),
    )
    mask = None
    if kind == "bool":
        mask = torch.rand(shape[-2], 7) > 0.3
        mask[0] = False  # nothing to attend to
    elif kind in ("float", "learned"):
        mask = torch.randn(shape[-2], 7, requires_grad=kind == "learned")
    out = torch.nn.functional.scaled_dot_product_attention(q, k, v, mask, dropout, kind == "causal")
    return gradients([out], [q, k, v] + ([mask] if kind == "learned" else []))


@case
def attention_of_long_sequences(torch):  # several blocks of queries
    torch.manual_seed(4)
    q, k, v = (torch.randn(1, 2, 400, 8, requires_grad=True) for _ in range(3))
    out = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    return [t[0, :, ::57] for t in gradients([out], [q, k, v])]


@case
def grouped_attention(torch):
    torch.manual_seed(4)
    q, k = torch.randn(2, 4, 3, 8, requires_grad=True), torch.randn(2, 2, 3, 8, requires_grad=True)
    sdpa = torch.nn.functional.scaled_dot_product_attention
    return gradients([sdpa(q, k, k, enable_gqa=True, scale=0.5)], [q, k])


HEADS = {
    "plain": {}, "no bias": {"bias": False}, "bias_kv": {"add_bias_kv": True, "add_zero_attn": True},
    "widths": {"kdim": 5, "vdim": 3}, "batch_first": {"batch_first": True}, "dropout": {"dropout": 0.3},
}  # fmt: skip


@cases(options=tuple(HEADS), weights=(True, False), masks=(True, False))
def multihead(torch, options, weights, masks):
    torch.manual_seed(4)
    options = HEADS[options]
    net = torch.nn.MultiheadAttention(8, 2, **options)
    q = torch.randn(3, 2, 8, requires_grad=True)
    k, v = torch.randn(5, 2, options.get("kdim", 8)), torch.randn(5, 2, options.get("vdim", 8))
    if options.get("batch_first"):
        q, k, v = (t.transpose(0, 1) for t in (q, k, v))
        q = q.detach().requires_grad_()
    kwargs = {"need_weights": weights, "average_attn_weights": not masks}
    if masks:
        kwargs["attn_mask"] = torch.rand(3, 5) > 0.8
        kwargs["key_padding_mask"] = torch.tensor([[False] * 5, [False] * 3 + [True] * 2])
    return run(net, q, k, v, **kwargs)


@cases(norm_first=(False, True), activation=("relu", "gelu"))
def transformer(torch, norm_first, activation):
    torch.manual_seed(4)
    net = torch.nn.Transformer(
        8, 2, 1, 1, 16, dropout=0.1, activation=activation, norm_first=norm_first, batch_first=True
    )
    mask = net.generate_square_subsequent_mask(4)
    padding = torch.tensor([[False] * 5, [False] * 3 + [True] * 2])
    return run(
        net, torch.randn(2, 5, 8), torch.randn(2, 4, 8), tgt_mask=mask, src_key_padding_mask=padding,
        memory_key_padding_mask=padding,
    )  # fmt: skip


@case
def training_curve_of_a_small_transformer(torch):
    nn = torch.nn
    torch.manual_seed(0)
    letters, width = len(set(TEXT)), 32
    layer = nn.TransformerEncoderLayer(width, 4, 64, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
    model = nn.ModuleDict({
        "embed": nn.Embedding(letters, width),
        "place": nn.Embedding(24, width),
        "body": nn.TransformerEncoder(layer, 2, nn.LayerNorm(width), enable_nested_tensor=False),
        "head": nn.Linear(width, letters),
    })  # fmt: skip
    mask = nn.Transformer.generate_square_subsequent_mask(24)

    def forward(x):
        h = model["embed"](x) + model["place"](torch.arange(24))
        return model["head"](model["body"](h, mask=mask, is_causal=True))

    return curve(torch, model, forward, 40, 24)


# ---- losses

REDUCTIONS = ("none", "mean", "sum")


@cases(reduction=REDUCTIONS, zero_infinity=(False, True))
def ctc(torch, reduction, zero_infinity):
    torch.manual_seed(5)
    x = torch.randn(9, 4, 5, requires_grad=True)
    targets = torch.randint(1, 5, (4, 6))
    lengths = torch.tensor([9, 8, 9, 9 if reduction != "none" and not zero_infinity else 3]), torch.tensor([3, 4, 0, 6])
    loss = torch.nn.CTCLoss(reduction=reduction, zero_infinity=zero_infinity)
    padded = loss(x.log_softmax(2), targets, *lengths)
    flat = torch.cat([targets[i, :n] for i, n in enumerate(lengths[1].tolist())])
    joined = loss(x.log_softmax(2), flat, tuple(lengths[0].tolist()), tuple(lengths[1].tolist()))
    alone = loss(x[:, 0].log_softmax(1), targets[0, :3], (7,), (3,))
    finite = padded if zero_infinity or reduction != "none" else padded[:3]
    return [padded, joined, *gradients([finite, alone], [x])]


@cases(reduction=REDUCTIONS)
def margins(torch, reduction):
    torch.manual_seed(5)
    F = torch.nn.functional
    x, y, w = torch.randn(5, 4, requires_grad=True), torch.tensor([0, 3, 1, 1, 2]), torch.rand(4)
    lists = torch.tensor([[0, 1, -1, 3], [3, 3, 2, -1], [-1, 0, 1, 2], [0, 1, 2, 3], [2, -1, 2, 2]])
    other = [torch.randn(5, 4, requires_grad=True) for _ in range(2)]
    r = {"reduction": reduction}
    losses = [
        F.multi_margin_loss(x, y, **r),
        F.multi_margin_loss(x, y, 2, 0.5, w, **r),
        F.multi_margin_loss(x[0], y[0], **r),
        F.multilabel_margin_loss(x, lists, **r),
        F.multilabel_margin_loss(x[0], lists[0], **r),
        F.multilabel_soft_margin_loss(x, torch.rand(5, 4), w, **r),
        F.triplet_margin_with_distance_loss(x, *other, swap=True, **r),
        F.triplet_margin_with_distance_loss(x, *other, distance_function=lambda a, b: (a - b).abs().sum(-1), **r),
        F.linear_cross_entropy(x, other[0][:3], torch.tensor([0, 1, 2, 1, 0]), linear_bias=w[:3], **r),
    ]
    return gradients(losses, [x, *other])


@cases(mode=("sum", "mean", "max"), padding=(None, 2))
def bags(torch, mode, padding):
    torch.manual_seed(5)
    bag = torch.nn.EmbeddingBag(5, 3, mode=mode, padding_idx=padding)
    indices = torch.tensor([1, 2, 4, 4, 0, 2, 2, 3])
    outputs = [bag(indices, torch.tensor([0, 3, 3, 5])), bag(indices.view(2, 4))]
    weights = torch.rand(8, requires_grad=True)
    if mode == "sum":
        outputs.append(bag(indices, torch.tensor([0, 2]), weights))
    return gradients(outputs, [bag.weight, weights])


@case
def adaptive_softmax(torch):
    torch.manual_seed(5)
    net = torch.nn.AdaptiveLogSoftmaxWithLoss(16, 30, [5, 10, 20], div_value=2.0, head_bias=True)
    x, y = torch.randn(12, 16, requires_grad=True), torch.randint(0, 30, (12,))
    results = run(net, x, y)
    return [*results, net.log_prob(x), net.predict(x), net(x[0], y[0]).output]


@cases(hard=(False, True))
def gumbel(torch, hard):
    torch.manual_seed(5)
    x = torch.randn(4, 5, requires_grad=True)
    return gradients([torch.nn.functional.gumbel_softmax(x, tau=0.7, hard=hard)], [x])


@cases(norm=(False, True))
def padding_in_inference(torch, norm):
    torch.manual_seed(5)
    layer = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    net = torch.nn.TransformerEncoder(layer, 2, torch.nn.LayerNorm(8) if norm else None).eval()
    x, at_the_end = torch.randn(2, 4, 8), torch.tensor([[False] * 4, [False] * 2 + [True] * 2])
    inside = torch.tensor([[False] * 4, [True, False, False, True]])
    with torch.no_grad():
        return [net(x), net(x, src_key_padding_mask=at_the_end), net(x, src_key_padding_mask=inside)]
