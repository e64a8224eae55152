"""Attention and the Transformer: recorded values and gradients, masks, errors."""

import copy

import pytest

from rushlight.autograd import gradcheck, gradgradcheck

from . import sequences
from .conftest import torch

pytestmark = pytest.mark.filterwarnings("ignore:enable_nested_tensor is True")
nn, F = torch.nn, torch.nn.functional
sdpa = F.scaled_dot_product_attention


@pytest.mark.parametrize(
    "name",
    sequences.names(
        "attention",
        "attention_of_long_sequences",
        "grouped_attention",
        "multihead",
        "transformer",
        "padding_in_inference",
    ),
)
def test_values_and_gradients(name):
    sequences.check(name, 1e-4 if name.startswith(("attention_of", "transformer")) else 3e-5)


@pytest.mark.parametrize("name", sequences.names("training_curve_of_a_small_transformer"))
def test_training_curve(name):
    sequences.check(name, 1e-4)


@pytest.mark.parametrize("causal", [False, True])
def test_second_derivatives(causal):
    q, k, v = (torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True) for _ in range(3))
    assert gradcheck(lambda *t: sdpa(*t, is_causal=causal), (q, k, v))
    assert gradgradcheck(lambda *t: sdpa(*t, is_causal=causal), (q, k, v))


def test_leading_axes_and_layouts():
    x = torch.randn(2, 5, 3 * 4 * 6)
    q, k, v = (t.unflatten(-1, (4, 6)).transpose(1, 2) for t in x.chunk(3, -1))  # views, none copied
    out = sdpa(q, k, v)
    assert out.shape == (2, 4, 5, 6)
    assert out.transpose(1, 2).is_contiguous()
    torch.testing.assert_close(out, sdpa(q.contiguous(), k.contiguous(), v.contiguous()))
    torch.testing.assert_close(out[1, 2], sdpa(q[1, 2], k[1, 2], v[1, 2]))
    torch.testing.assert_close(sdpa(q, k[:, :1], v[:, :1])[:, 0], out[:, 0])
    # bfloat16 keeps 8 bits: operands and result are rounded by up to 2**-9 each.
    torch.testing.assert_close(sdpa(q.bfloat16(), k.bfloat16(), v.bfloat16()).float(), out, atol=2**-7, rtol=2**-7)
    assert sdpa(q[:, :, :0], k, v).shape == (2, 4, 0, 6)
    assert (sdpa(q, k[:, :, :0], v[:, :, :0]) == 0).all()


def test_masks_mean_what_they_say():
    q, k, v = (torch.randn(2, 3, 6, 4) for _ in range(3))
    causal = torch.ones(6, 6, dtype=torch.bool).tril()
    expected = sdpa(q, k, v, is_causal=True)
    torch.testing.assert_close(sdpa(q, k, v, causal), expected)
    torch.testing.assert_close(sdpa(q, k, v, nn.Transformer.generate_square_subsequent_mask(6)), expected)
    torch.testing.assert_close(sdpa(q, k, v, causal.expand(2, 3, 6, 6)), expected)
    torch.testing.assert_close(expected[..., 0, :], v[..., 0, :])
    nothing = torch.zeros(6, 6, dtype=torch.bool)
    assert (sdpa(q, k, v, nothing) == 0).all()
    column = torch.tensor([True, True, False, False, False, False])
    torch.testing.assert_close(sdpa(q, k, v, column), sdpa(q, k[..., :2, :], v[..., :2, :]))
    q[0, 0, 0, 0] = float("nan")
    out = sdpa(q, k, v)
    assert out[0, 0, 0].isnan().all() and not out[0, 0, 1:].isnan().any()


def test_causal_biases():
    from rushlight.nn.attention.bias import CausalVariant, causal_lower_right, causal_upper_left

    q, k = torch.randn(1, 2, 2, 4), torch.randn(1, 2, 5, 4)
    torch.testing.assert_close(sdpa(q, k, k, causal_upper_left(2, 5)), sdpa(q, k, k, is_causal=True))
    mask = causal_lower_right(2, 5)
    assert mask.tolist() == [[True] * 4 + [False], [True] * 5] and mask.variant == CausalVariant.LOWER_RIGHT
    assert isinstance(mask, torch.Tensor)
    with pytest.raises(NotImplementedError, match="flex_attention"):
        nn.attention.flex_attention.flex_attention(q, k, k)


def test_choice_of_implementation():
    from rushlight.nn.attention import SDPBackend, sdpa_kernel

    q = torch.randn(1, 1, 2, 4)
    with sdpa_kernel([SDPBackend.MATH, SDPBackend.FLASH_ATTENTION], set_priority=True):
        sdpa(q, q, q)
    with pytest.raises(AssertionError, match="Backend must be an instance"), sdpa_kernel("math"):
        pass


def test_errors():
    q = torch.randn(1, 2, 3, 4)
    for args, kwargs, words in (
        ((q, q.double(), q), {}, "same dtype, but got query.dtype: float"),
        ((q[0, 0, 0], q, q), {}, "at least 2 dimensional"),
        ((q, q, q, torch.ones(3, 3, dtype=torch.long)), {}, "Expected attn_mask dtype to be bool or float"),
        ((q, q, q, torch.ones(3, 3)), {"is_causal": True}, "should not be set when is_causal=True"),
        ((q, torch.randn(1, 2, 3, 5), q), {}, r"do not fit together"),
        ((q, q, q), {"dropout_p": 1.5}, "between 0 and 1"),
        ((torch.randn(1, 3, 3, 4), q, q), {"enable_gqa": True}, "must divide the number of heads"),
    ):
        with pytest.raises(RuntimeError, match=words):
            sdpa(*args, **kwargs)
    net = nn.MultiheadAttention(8, 2)
    x = torch.randn(5, 2, 8)
    with pytest.raises(AssertionError, match="was expecting embedding dimension of 8, but got 6"):
        net(x[..., :6], x[..., :6], x[..., :6])
    with pytest.raises(RuntimeError, match="Need attn_mask if specifying the is_causal hint"):
        net(x, x, x, is_causal=True)
    with pytest.raises(
        RuntimeError, match=r"shape of the 2D attn_mask is torch.Size\(\[5, 4\]\), but should be \(5, 5\)"
    ):
        net(x, x, x, attn_mask=torch.zeros(5, 4))
    with pytest.raises(AssertionError, match="expected `key` and `value` to be 3-D"):
        net(x, x[0], x)
    with pytest.raises(AssertionError, match="embed_dim must be divisible by num_heads"):
        nn.MultiheadAttention(8, 3)
    with pytest.raises(RuntimeError, match="activation should be relu/gelu, not tanh"):
        nn.TransformerEncoderLayer(8, 2, activation="tanh")
    model = nn.Transformer(8, 2, 1, 1, 8)
    with pytest.raises(RuntimeError, match="the batch number of src and tgt must be equal"):
        model(x, torch.randn(5, 3, 8))
    with pytest.raises(RuntimeError, match="the feature number of src and tgt must be equal to d_model"):
        model(x[..., :4], x)


def test_names():
    net = nn.MultiheadAttention(8, 2, add_bias_kv=True)
    assert list(net.state_dict()) == [
        "in_proj_weight", "in_proj_bias", "bias_k", "bias_v", "out_proj.weight", "out_proj.bias",
    ]  # fmt: skip
    assert "NonDynamicallyQuantizableLinear(in_features=8" in repr(net)
    assert list(nn.MultiheadAttention(8, 2, kdim=4).state_dict())[:3] == [
        "q_proj_weight", "k_proj_weight", "v_proj_weight",
    ]  # fmt: skip
    keys = list(nn.Transformer(8, 2, 1, 1, 8).state_dict())
    assert "encoder.layers.0.self_attn.in_proj_weight" in keys and "decoder.layers.0.multihead_attn.bias_k" not in keys
    assert keys[-2:] == ["decoder.norm.weight", "decoder.norm.bias"]
    q = torch.randn(1, 1, 2, 4, requires_grad=True)
    assert "ScaledDotProductFlashAttentionForCpuBackward0" in str(sdpa(q, q, q).grad_fn)
    layer = nn.TransformerEncoderLayer(8, 2)
    with pytest.warns(
        UserWarning, match="use_nested_tensor is False because encoder_layer.self_attn.batch_first was not"
    ):
        stack = nn.TransformerEncoder(layer, 2)
    x = torch.randn(3, 2, 8)
    torch.testing.assert_close(copy.deepcopy(stack).eval()(x), stack.eval()(x))
    assert nn.modules.activation.MultiheadAttention is nn.MultiheadAttention
