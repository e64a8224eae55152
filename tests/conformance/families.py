"""Which of PyTorch's OpInfos belong to which part of the library.

`tensors` is the tensor core: everything that is a tensor operation of its own right. The other families are the
neural network functions, dense linear algebra, special functions, Fourier transforms, and what a CPU tensor library
has no use for (sparse layouts, CUDA kernels).
"""

ELSEWHERE = {
    "linalg": (
        "linalg.", "cholesky", "cholesky_inverse", "cholesky_solve", "geqrf", "lu", "lu_solve", "lu_unpack", "logdet",
        "matrix_exp", "ormqr", "pca_lowrank", "pinverse", "qr", "svd", "svd_lowrank", "triangular_solve", "norm.nuc",
    ),
    "fft": ("fft.", "stft", "istft"),
    "special": (
        "special.", "digamma", "i0", "igamma", "igammac", "mvlgamma.", "polygamma.", "lgamma", "erfinv",
    ),
    "signal": ("signal.",),
    "masked": ("masked.",),
    "nn": (
        "nn.functional.", "_batch_norm_with_update", "_native_batch_norm_legit", "native_batch_norm",
        "native_dropout_backward", "native_group_norm", "native_layer_norm", "constant_pad_nd", "grid_sampler_2d",
        "grid_sampler_3d", "max_pool2d_with_indices_backward", "_upsample_bilinear2d_aa", "_segment_reduce.",
    ),
    "sparse": ("sparse.", "to_sparse"),
    "internal": (
        "torch.", "jiterator_", "_chunk_cat", "_softmax_backward_data", "_unsafe_masked_index", "bmm.triton_optimized",
        "_unsafe_masked_index_put_accumulate", "chalf", "hash_tensor", "histogramdd", "slice",
    ),
}  # fmt: skip
# The neural network functions that the quickstart's modules are made of.
QUICKSTART = {
    "nn.functional.linear", "nn.functional.relu", "nn.functional.mse_loss", "nn.functional.cross_entropy",
    "nn.functional.nll_loss", "softmax", "log_softmax",
}  # fmt: skip


def family(name):
    """The family of an OpInfo by its full name (name.variant)."""
    for kind, prefixes in ELSEWHERE.items():
        for p in prefixes:
            if name == p or p.endswith((".", "_")) and name.startswith(p):
                return kind
    return "tensors"


def in_core(name):
    """Whether the operator is one of the tensor core (or of the few network functions the quickstart needs)."""
    return family(name) == "tensors" or name in QUICKSTART


FAMILIES = ("tensors", *ELSEWHERE)
