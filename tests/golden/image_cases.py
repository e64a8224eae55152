"""Convolution, pooling, normalisation and resampling that is recorded, by family: (function, arguments, keyword arguments)."""

FAMILIES = {"pooling": [], "norm": [], "resample": [], "conv": []}


def adder(family):
    def add(name, *args, **kwargs):
        FAMILIES[family].append(("nn.functional." + name, list(args), kwargs))

    return add


add = adder("pooling")
X1, X2, X3 = "@f64[1,2,11]", "@f64[1,2,9,7]", "@f64[1,1,6,5,5]"
for x, dims in ((X1, 1), (X2, 2), (X3, 3)):
    name = f"max_pool{dims}d"
    add(name, x, 2)
    add(name, x, 3, 2, 1)
    add(name, x, 3, stride=1, dilation=2, padding=1)
    add(name, x, 2, 2, ceil_mode=True, return_indices=True)
    name = f"avg_pool{dims}d"
    add(name, x, 2)
    add(name, x, 3, 2, 1)
    add(name, x, 3, 2, 1, True, False)
    if dims > 1:
        add(name, x, 2, divisor_override=3)
    for size in (1, 2, 4):
        add(f"adaptive_avg_pool{dims}d", x, size)
        add(f"adaptive_max_pool{dims}d", x, size, return_indices=True)
    add(f"lp_pool{dims}d", x.replace("]", "]P"), 3.0, 2)
    add(f"lp_pool{dims}d", x.replace("]", "]P"), 2.0, 3, stride=2, ceil_mode=True)
for x in ("@f32[1,1,22,37]", "@f32[3,8,6]D", "@f32[2,3,5,4]X", "@f16[1,2,6,6]", "@bf16[1,2,6,6]", "@i64[1,1,4,4]"):
    add("max_pool2d", x, 2)
    add("max_pool2d", x, 3, 2, 1, return_indices=True)
    add("avg_pool2d", x, 2)
add("max_pool2d", X2, (3, 2), (1, 2), (1, 0), (2, 1))
add("max_pool2d", "@f32[1,1,9,29]", 2, (1, 3), 1, (3, 2))
add("max_pool2d", "@f64[1,1,9,29]", 3, (2, 3), 1, (4, 2))
add("max_pool2d", "@f64[1,1,24,20]", 17, 1, 8, return_indices=True)
add("adaptive_avg_pool2d", X2, (None, 3))
add("adaptive_avg_pool2d", "@f32[2,3,12,12]", 4)
add("fractional_max_pool2d", "@f32[2,3,12,10]", 3, output_ratio=(0.5, 0.7), return_indices=True)
add("fractional_max_pool2d", X2, 2, (4, 3))
add("fractional_max_pool3d", X3, 2, output_size=(3, 2, 3), return_indices=True)
add("max_unpool1d", "@f64[1,2,3]", "@i64[1,2,3]6", 2)
add("max_unpool2d", "@f64[1,2,2,2]", "@i64[1,2,2,2]16", 2)
add("max_unpool2d", "@f64[2,2,2]", "@i64[2,2,2]20", 2, output_size=(5, 4))
add("max_unpool3d", "@f64[1,1,2,2,2]", "@i64[1,1,2,2,2]64", 2)

add = adder("norm")
for x, c in (("[4,3]", 3), ("[4,3,5]", 3), ("[2,3,4,5]", 3), ("[2,3,2,3,2]", 3), ("[2,4,9]", 4), ("[2,3,4,5]T", 3)):
    for kind in ("@f64", "@f32"):
        weight, bias = f"{kind}[{c}]", f"{kind}[{c}]D"
        add("batch_norm", kind + x, None, None, training=True)
        add("batch_norm", kind + x, None, None, weight, None, True, 0.1, 1e-3)
        add("batch_norm", kind + x, None, None, weight, bias, True)
        if kind == "@f32":
            add("batch_norm", kind + x, weight, weight + "P", weight, bias)
        if x.count(",") > 1:
            add("instance_norm", kind + x)
            add("instance_norm", kind + x, None, None, weight, bias)
            add("local_response_norm", kind + x, 2)
            add("local_response_norm", kind + x, 3, 0.5, 0.6, 2.0)
for groups in (1, 2, 4):
    add("group_norm", "@f64[2,4,5]", groups, "@f64[4]", "@f64[4]")
    add("group_norm", "@f64[3,4,2,5]", groups)
    add("group_norm", "@f32[3,4,2,5]", groups, "@f32[4]", "@f32[4]", 1e-3)
add("group_norm", "@f64[3,4]", 2, "@f64[4]", None)

add = adder("resample")
SIZES = {"nearest": (1, 2, 3), "nearest-exact": (1, 2, 3), "linear": (1,), "bilinear": (2,), "bicubic": (2,),
         "trilinear": (3,), "area": (1, 2, 3)}  # fmt: skip
INPUTS = {1: "@f64[1,2,7]", 2: "@f64[1,2,5,6]", 3: "@f64[1,1,3,4,3]"}
for mode, dims in SIZES.items():
    for d in dims:
        add("interpolate", INPUTS[d], 4, mode=mode)
        add("interpolate", INPUTS[d], 9, mode=mode)
        add("interpolate", INPUTS[d], scale_factor=1.7, mode=mode)
        add("interpolate", INPUTS[d], scale_factor=0.6, mode=mode, recompute_scale_factor=True)
        if mode.endswith(("linear", "cubic")):
            add("interpolate", INPUTS[d], 4, mode=mode, align_corners=True)
            add("interpolate", INPUTS[d], 9, mode=mode, align_corners=True)
for mode in ("bilinear", "bicubic"):
    add("interpolate", INPUTS[2], (2, 3), mode=mode, antialias=True)
    add("interpolate", INPUTS[2], (3, 9), mode=mode, antialias=True, align_corners=True)
    add("interpolate", INPUTS[2], scale_factor=0.45, mode=mode, antialias=True)
    add("interpolate", "@u8[1,3,7,6]250", (3, 4), mode=mode, antialias=True)
    add("interpolate", "@u8[1,3,7,6]250", (9, 11), mode=mode)
    add("interpolate", "@f16[1,2,5,6]", (3, 9), mode=mode)
add("interpolate", "@f32[1,1,31,17]", (12, 20), mode="nearest")
add("interpolate", "@f32[1,1,31,17]", (12, 20), mode="nearest-exact")
add("interpolate", "@u8[1,3,7,6]250", 4, mode="nearest")
# Places equally near to two elements.
add("interpolate", "@f32[1,1,2]", 41, mode="nearest-exact")
add("interpolate", "@f64[1,1,1,4]", (1, 49), mode="nearest-exact")
add("interpolate", "@f32[1,1,26]", 46, mode="nearest")
for padding in ("zeros", "border", "reflection"):
    for align in (False, True):
        for mode in ("bilinear", "nearest", "bicubic"):
            add("grid_sample", "@f64[2,2,4,5]", "@f64[2,3,3,2]", mode, padding, align)
        for mode in ("bilinear", "nearest"):
            add("grid_sample", "@f64[1,2,3,4,3]", "@f64[1,2,2,3,3]", mode, padding, align)
for align in (False, True):
    add("affine_grid", "@f64[2,2,3]", (2, 1, 3, 4), align)
    add("affine_grid", "@f64[1,3,4]", (1, 1, 2, 3, 1), align)
add("pixel_shuffle", "@f64[1,8,2,3]", 2)
add("pixel_unshuffle", "@f64[1,2,4,6]", 2)
add("channel_shuffle", "@f64[1,6,2]", 3)

add = adder("conv")
IN = {1: "@f64[2,4,9]", 2: "@f64[2,4,6,5]", 3: "@f64[1,4,4,3,5]"}
for dims, x in IN.items():
    kernel = (3, 2, 2)[:dims]
    tail = ",".join(str(k) for k in kernel) + "]"
    name, w, b = f"conv{dims}d", f"@f64[6,4,{tail}", "@f64[6]"
    add(name, x, w, b)
    add(name, x, w, b, 2, 1)
    add(name, x, w, b, padding="same", dilation=2)
    add(name, x, w, stride=(2, 1, 3)[:dims], padding=(1, 0, 2)[:dims], dilation=(1, 2, 1)[:dims])
    add(name, x, f"@f64[6,2,{tail}", b, padding="valid", groups=2)
    add(name, x, f"@f64[8,1,{tail}", "@f64[8]", 1, 1, groups=4)
    add(name, x, f"@f64[2,4,{','.join(dims * '1')}]", stride=2)
    name, w = f"conv_transpose{dims}d", f"@f64[4,3,{tail}"
    add(name, x, w, "@f64[3]")
    add(name, x, w, "@f64[3]", 2, 1, 1)
    add(name, x, w, stride=3, dilation=2, output_padding=2)
    add(name, x, f"@f64[4,1,{tail}", "@f64[2]", stride=2, groups=2)
    add(name, x, f"@f64[4,2,{','.join(dims * '1')}]", stride=2, padding=1)
add("conv2d", "@f64[4,6,5]", "@f64[3,4,2,3]", "@f64[3]", padding=1)
add("conv_transpose2d", "@f64[4,3,2]", "@f64[4,3,2,3]", "@f64[3]", 2)
add("conv2d", "@f32[1,3,8,8]", "@f32[4,3,3,3]", "@f32[4]", padding=1)
add("conv2d", "@f32[1,3,9,9]", "@f32[2,3,7,7]", None, 2, 3)
add("conv2d", "@i64[1,2,4,4]", "@i64[3,2,2,2]", "@i64[3]")
add("conv_transpose2d", "@i64[1,2,3,3]", "@i64[2,3,2,2]", stride=2)
add("conv2d", "@u8[1,2,4,4]", "@u8[3,2,2,2]")
add("conv2d", "@f16[1,2,5,5]", "@f16[3,2,3,3]", "@f16[3]")
add("conv2d", "@bf16[1,2,5,5]", "@bf16[3,2,3,3]", "@bf16[3]")
add("conv2d", "@f64[0,2,5,5]", "@f64[3,2,3,3]", "@f64[3]")
add("unfold", "@f64[2,2,5,4]", 2)
add("unfold", "@f64[2,5,4]", (2, 3), dilation=(2, 1), padding=1, stride=(1, 2))
add("unfold", "@b[1,1,3,3]", 2)
add("fold", "@f64[2,8,12]", (5, 4), 2)
add("fold", "@f64[2,8,9]", (4, 7), 2, padding=(1, 0), stride=(2, 2), dilation=1)
add("fold", "@f64[12,6]", (4, 4), (2, 3), dilation=(3, 1), padding=(1, 0), stride=1)
