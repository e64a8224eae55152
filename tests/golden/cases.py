"""What is recorded: (function, positional arguments, keyword arguments). See spec.py for the @names."""

UNARY = """abs acos acosh angle asin asinh atan atanh ceil cos cosh deg2rad digamma erf erfc erfinv exp exp2 expm1 fix
floor frac isfinite isinf isnan isneginf isposinf isreal lgamma log log10 log1p log2 logical_not logit nan_to_num neg
positive rad2deg reciprocal relu round rsqrt sgn sigmoid sign signbit sin sinc sinh sqrt square tan tanh trunc
nn.functional.gelu nn.functional.silu nn.functional.softplus nn.functional.elu nn.functional.leaky_relu
nn.functional.hardtanh nn.functional.logsigmoid nn.functional.mish nn.functional.relu6 nn.functional.softsign
nn.functional.hardswish nn.functional.hardsigmoid nn.functional.tanhshrink nn.functional.selu""".split()
INTEGER_UNARY = """abs neg sign square sqrt exp sin bitwise_not logical_not floor ceil reciprocal sigmoid tanh isnan
isfinite positive rsqrt log erf""".split()
BINARY = """add sub mul div true_divide floor_divide remainder fmod pow maximum minimum fmax fmin atan2 hypot copysign
nextafter logaddexp logaddexp2 xlogy heaviside eq ne lt le gt ge logical_and logical_or logical_xor ldexp
float_power""".split()
INTEGER_BINARY = """bitwise_and bitwise_or bitwise_xor gcd lcm add sub mul remainder fmod eq lt maximum minimum
logical_and floor_divide true_divide""".split()
REDUCTIONS = "sum nansum mean prod amax amin all any std var logsumexp argmax argmin median count_nonzero norm".split()
DIM_PAIRS = "max min median mode cummax cummin sort".split()
SCANS = "cumsum cumprod logcumsumexp cummax cummin softmax log_softmax argsort".split()

CASES = []


def add(name, *args, **kwargs):
    CASES.append((name, list(args), kwargs))


for op in UNARY:
    for x in ("@f32[3,5]", "@f32[4,3]T", "@f32[0,3]", "@f32[]", "@f32[17]US", "@f32[12]X", "@f64[2,3]", "@f64[4]U"):
        add(op, x)
for op in INTEGER_UNARY:
    add(op, "@i64[5]")
    if op not in ("neg",):
        add(op, "@b[4]")
for op in BINARY:
    add(op, "@f32[3,5]", "@f32[3,5]")
    add(op, "@f32[3,1]", "@f32[4]")
    add(op, "@f32[4,3]T", "@f32[3]")
    add(op, "@f32[0]", "@f32[1]")
    add(op, "@f32[12]X", "@f32[12]")
    add(op, "@f64[2,3]P", "@f64[2,1]P")
    add(op, "@f64[3]P", "@f64[]P")
for op in ("add", "sub", "mul", "div", "pow", "eq", "lt", "remainder", "maximum", "logical_and", "floor_divide"):
    add(op, "@i32[4]", "@f32[4]")
    add(op, "@i64[4]", "@f32[]")
    add(op, "@f32[4]", "@f64[]")
    add(op, "@u8[4]", "@i8[4]")
    add(op, "@bf16[4]", "@f16[4]")
    if op not in ("sub", "pow", "remainder", "floor_divide"):
        add(op, "@b[4]", "@i64[4]")
for op in ("add", "sub", "mul", "div", "pow", "remainder", "floor_divide", "eq", "lt", "fmod"):
    for x in ("@f32[5]", "@i64[5]", "@f16[5]", "@f64[5]P"):
        add(op, x, 2)
        add(op, x, 2.5)
    add(op, "@f32[5]", -3)
for op in INTEGER_BINARY:
    add(op, "@i64[5]", "@i64[5]5") if "div" not in op and op not in ("remainder", "fmod") else add(op, "@i64[5]", 3)
    add(op, "@i32[2,3]", 7)
for op in ("bitwise_and", "bitwise_or", "bitwise_xor"):
    add(op, "@b[6]", "@b[6]")
add("bitwise_left_shift", "@i64[5]", "@i64[5]4")
add("bitwise_right_shift", "@i64[5]", "@i64[5]4")
add("add", "@f32[3]", "@f32[3]", alpha=2)
add("sub", "@f64[3]", "@f64[3]", alpha=0.5)
add("div", "@f32[5]", "@f32[5]", rounding_mode="floor")
add("div", "@i64[5]", 3, rounding_mode="trunc")
add("rsub", "@f32[3]", 2)

for op in REDUCTIONS:
    floats = op not in ("all", "any")
    add(op, "@f32[3,5]")
    add(op, "@f32[]")
    add(op, "@f32[4,3]T", dim=0)
    add(op, "@f32[2,3,5]", dim=-1, keepdim=True) if op != "count_nonzero" else add(op, "@f32[2,3,5]", dim=-1)
    add(op, "@f32[6]XS")
    if op not in ("median", "argmax", "argmin", "prod"):
        add(op, "@f32[2,3,4]", dim=(0, 2))
    if op not in ("amax", "amin", "argmax", "argmin", "median", "logsumexp"):
        add(op, "@f32[0,3]", dim=0)
        add(op, "@f32[0]")
    if floats:
        add(op, "@f64[3,4]")
        add(op, "@f64[3,4]", dim=1)
        add(op, "@f64[3,4]DT", dim=0)
    if op not in ("mean", "std", "var", "norm", "logsumexp", "median", "nansum"):
        add(op, "@i64[3,4]")
        add(op, "@b[3,4]", dim=0) if op not in ("argmax", "argmin") else add(op, "@i32[3,4]", dim=0)
for op in DIM_PAIRS:
    add(op, "@f32[3,5]", dim=1)
    add(op, "@f32[3,5]T", dim=0)
    add(op, "@f64[3,4]", dim=-1)
    add(op, "@i64[7]", dim=0) if op not in ("mode",) else add(op, "@i64[7]4", dim=0)
add("sort", "@f32[9]", descending=True)
add("sort", "@i64[9]3", stable=True)
add("sort", "@f32[12]X")
for op in SCANS:
    add(op, "@f32[3,5]", dim=1)
    add(op, "@f32[5,3]T", dim=0)
    add(op, "@f64[3,4]", dim=0)
add("cumsum", "@i32[6]", dim=0)
add("cumsum", "@b[6]", dim=0)
add("cumprod", "@f64[4]D", dim=0)
add("sum", "@f32[5]", dtype="torch.float64")
add("mean", "@i64[5]", dtype="torch.float32")
add("var", "@f32[3,4]", dim=1, correction=0)
add("std", "@f64[3,4]", dim=(0, 1), correction=2)
add("var_mean", "@f64[3,4]", dim=0)
add("std_mean", "@f32[3,4]")
for p in (0, 1, 2, 3, float("inf"), float("-inf")):
    add("norm", "@f64[3,4]", p, 1)
add("quantile", "@f64[7]", 0.3)
add("quantile", "@f32[4,5]", "@f32[3]U", dim=1)
add("nanmedian", "@f32[12]X")
add("topk", "@f32[3,7]", 3)
add("topk", "@f64[9]", 4, largest=False)
add("kthvalue", "@f64[9]", 4)
add("aminmax", "@f32[3,4]", dim=1)
add("diff", "@f64[6]")
add("trapezoid", "@f64[6]")
add("logsumexp", "@f64[3,4]", dim=(0, 1))
add("count_nonzero", "@i64[9]2")
add("nn.functional.mse_loss", "@f64[3,2]", "@f64[3,2]")
add("nn.functional.cross_entropy", "@f64[4,5]", "@i64[4]5")
add("nn.functional.linear", "@f64[3,4]", "@f64[5,4]", "@f64[5]")
add("nn.functional.linear", "@f32[2,3,4]", "@f32[5,4]")

for shape in ("[3,4]", "[4,3]T", "[3,4]S"):
    x = "@f64" + shape
    add("reshape", x, (-1, 6) if shape != "[3,4]S" else (2, -1))
    add("transpose", x, 0, 1)
    add("t", x)
    add("flatten", x)
    add("unsqueeze", x, 1)
    add("flip", x, [0])
    add("roll", x, 1, 0)
    add("rot90", x)
    add("tril", x)
    add("triu", x, 1)
    add("diagonal", x)
    add("diag", x)
    add("narrow", x, 0, 1, 2)
    add("select", x, 1, 0)
    add(".repeat", x, 2, 1)
    add("tile", x, (2, 2))
    add("repeat_interleave", x, 2, 0)
    add(".contiguous", x)
    add("clone", x)
    add("chunk", x, 2)
    add("split", x, 2)
    add("tensor_split", x, 2)
    add("unbind", x)
    add(".unfold", x, 0, 2, 1)
    add("movedim", x, 0, 1)
    add("sum", x)
    add("masked_fill", x, "@b[3,4]" if "T" not in shape else "@b[4,3]", 7.0)
    add("masked_select", x, "@b[3,4]" if "T" not in shape else "@b[4,3]")
    add("index_select", x, 0, "@i64[5]3")
    add("gather", x, 1, "@i64[3,2]3")
    add("scatter", x, 1, "@i64[3,1]3", "@f64[3,1]")
    add("scatter_add", x, 0, "@i64[2,3]3", "@f64[2,3]")
    add("index_add", x, 0, "@i64[3]3", "@f64[3,4]" if "T" not in shape else "@f64[3,3]")
    add("take", x, "@i64[5]9")
    add("nonzero", x)
add("squeeze", "@f64[1,3,1]")
add("squeeze", "@f64[1,3,1]", 0)
add("permute", "@f64[2,3,4]", (2, 0, 1))
add("unflatten", "@f64[2,6]", 1, (2, 3))
add("broadcast_to", "@f64[3,1]", (3, 4))
add(".expand", "@f64[3,1]", 2, 3, 4)
add("meshgrid", "@f64[2]", "@f64[3]", indexing="ij")
add("cartesian_prod", "@f64[2]", "@f64[3]")
add("diag", "@f64[3]")
add("diag_embed", "@f64[2,3]")
add("atleast_2d", "@f64[]")
for op, shapes in {"cat": "[2,3]", "stack": "[2,3]", "hstack": "[2,3]", "vstack": "[2,3]", "dstack": "[2,3]"}.items():
    add(op, [f"@f64{shapes}", f"@f64{shapes}", f"@f64{shapes}S"])
    add(op, [f"@f32{shapes}", f"@i64{shapes}"])
add("cat", ["@f64[2,3]", "@f64[2,1]"], dim=1)
add("cat", ["@f32[0]", "@f32[2,3]"])
add("where", "@b[3,4]", "@f64[3,4]", "@f64[4]")
add("where", "@b[3]", "@f32[3]", 2.0)
add("where", "@b[3]", 1, "@i64[3]")
add("clamp", "@f64[7]", -1, 1)
add("clamp", "@f32[7]", min=0.5)
add("clamp", "@f64[3,4]", "@f64[4]", "@f64[3,1]P")
add("clamp", "@f32[12]X", -2, 2)
add("lerp", "@f64[4]", "@f64[4]", 0.3)
add("lerp", "@f64[4]", "@f64[4]", "@f64[4]U")
add("addcmul", "@f64[4]", "@f64[4]", "@f64[4]", value=0.5)
add("addcdiv", "@f64[4]", "@f64[4]", "@f64[4]P", value=0.5)
add("unique", "@i64[12]4")
add("unique", "@f32[9]D", return_inverse=True, return_counts=True)
add("unique_consecutive", "@i64[12]2", return_counts=True)
add("bincount", "@i64[12]5")
add("histc", "@f32[20]", 5, -3, 3)
add("searchsorted", "@f32[5]", "@f32[4]")
add("bucketize", "@f32[4]", "@f32[5]")
add("isin", "@i64[6]4", "@i64[2]4")
add("isclose", "@f32[4]", "@f32[4]")
add("allclose", "@f32[4]", "@f32[4]")
add("equal", "@f32[4]", "@f32[4]")
add("take_along_dim", "@f64[3,4]", "@i64[3,2]4", 1)
add("index_fill", "@f64[3,4]", 1, "@i64[2]4", 2.0)
add("index_copy", "@f64[3,4]", 0, "@i64[1]3", "@f64[1,4]")
add("scatter_reduce", "@f64[3,4]", 0, "@i64[2,4]3", "@f64[2,4]", "amax")
add("masked_scatter", "@f64[3,2]", "@b[3,2]", "@f64[6]")

for a, b in (("[3,4]", "[4,5]"), ("[4,3]T", "[4,5]"), ("[3,4]", "[5,4]T"), ("[3,4]S", "[4,2]"), ("[0,4]", "[4,2]")):
    if a == "[4,3]T":
        a, b = "[3,4]T", "[4,5]"
    if b == "[5,4]T":
        b = "[4,5]T"
    add("mm", "@f64" + a, "@f64" + b)
    add("matmul", "@f32" + a, "@f32" + b)
add("mm", "@f32[3,0]", "@f32[0,2]")
add("matmul", "@f64[4]", "@f64[4]")
add("matmul", "@f64[3,4]", "@f64[4]")
add("matmul", "@f64[4]", "@f64[4,2]")
add("matmul", "@f64[2,1,3,4]", "@f64[3,4,2]")
add("matmul", "@i64[3,4]", "@i64[4,2]")
add("matmul", "@f32[17,33]", "@f32[33,19]")
add("bmm", "@f64[2,3,4]", "@f64[2,4,2]")
add("mv", "@f64[3,4]", "@f64[4]")
add("dot", "@f64[5]", "@f64[5]")
add("outer", "@f64[3]", "@f64[4]")
add("inner", "@f64[3,4]", "@f64[4]")
add("addmm", "@f64[5]", "@f64[3,4]", "@f64[4,5]", beta=0.5, alpha=2)
add("addmv", "@f64[3]", "@f64[3,4]", "@f64[4]")
add("addr", "@f64[3,4]", "@f64[3]", "@f64[4]")
add("baddbmm", "@f64[2,3,2]", "@f64[2,3,4]", "@f64[2,4,2]")
add("tensordot", "@f64[2,3,4]", "@f64[3,4,2]", dims=2)
add("kron", "@f64[2,2]", "@f64[2,3]")
add("cdist", "@f64[3,2]", "@f64[4,2]")
add("trace", "@f64[3,4]")
add("cross", "@f64[2,3]", "@f64[2,3]", dim=1)
add("einsum", "ij,jk->ik", "@f64[3,4]", "@f64[4,2]")
add("einsum", "bij,bjk->bk", "@f64[2,3,4]", "@f64[2,4,2]")
add("einsum", "ii->i", "@f64[3,3]")
add("einsum", "...i,i", "@f64[2,3,4]", "@f64[4]")

add("arange", 5)
add("arange", 1, 4, 0.5)
add("arange", 10, 0, -3)
add("arange", 0, 1, 0.1, dtype="torch.float64")
add("linspace", 0, 1, 7)
add("linspace", -3, 8, 5, dtype="torch.int64")
add("logspace", 0, 2, 5)
add("eye", 3, 4)
add("full", (2, 3), 7)
add("full", (2,), 2.5)
add("zeros", 2, 3)
add("ones", 3, dtype="torch.int32")
add("tril_indices", 3, 4)
add("triu_indices", 3, 4, 1)
add("zeros_like", "@i64[3]")
add("full_like", "@f32[3]", 4)
add(".new_full", "@f32[3]", (2,), 3)
add("polar", "@f64[3]P", "@f64[3]")
add("complex", "@f32[3]", "@f32[3]")
for op in ("abs", "exp", "conj", "angle", "sqrt", "real", "imag", "reciprocal"):
    add(op, "@c128[4]")
for op in ("add", "sub", "mul", "div"):
    add(op, "@c128[4]", "@c128[4]")
    add(op, "@c64[4]", 2)
for kind in ("f16", "bf16"):
    for op in ("exp", "sqrt", "sum", "mean", "neg", "sigmoid", "tanh"):
        add(op, f"@{kind}[3,5]P")
    add("mul", f"@{kind}[5]", f"@{kind}[5]")
    add("matmul", f"@{kind}[3,4]", f"@{kind}[4,2]")
