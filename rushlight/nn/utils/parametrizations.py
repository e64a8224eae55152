"""Ready parametrizations: orthogonal matrices, weight and spectral normalisation."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

from rushlight import _C
from rushlight._dtype_info import finfo
from rushlight.autograd.grad_mode import no_grad
from rushlight.nn import functional as F
from rushlight.nn.modules.module import Module
from rushlight.nn.utils import parametrize
from rushlight.nn.utils.spectral_norm import _is_transposed
from rushlight.nn.utils.weight_norm import norm_except_dim, scaled_direction

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


class _OrthMaps(Enum):
    matrix_exp = auto()
    cayley = auto()
    householder = auto()


def _geqrf(a: Any) -> tuple[Any, Any]:
    """The Householder vectors below the diagonal with R above it, and their factors: LAPACK's geqrf."""
    import numpy as np

    flat = a.detach().reshape(-1, *a.shape[-2:]).numpy()
    parts = [np.linalg.qr(m, mode="raw") for m in flat]
    vectors = np.stack([h.T for h, _ in parts]).astype(flat.dtype)
    factors = np.stack([tau for _, tau in parts]).astype(flat.dtype)
    return (
        _C.tensor(vectors).reshape(a.shape),
        _C.tensor(factors).reshape(*a.shape[:-2], min(a.shape[-2:])),
    )


def _is_orthogonal(q: Any, eps: float | None = None) -> bool:
    n, k = q.size(-2), q.size(-1)
    identity = _C.eye(k, dtype=q.dtype, device=q.device)
    eps = 10.0 * n * finfo(q.dtype).eps if eps is None else eps
    return bool(_C.allclose(q.mH @ q, identity, atol=eps))


def _make_orthogonal(a: Any) -> Any:
    """The orthogonal matrix of a's QR decomposition with positive diagonal of R."""
    from rushlight import linalg

    vectors, tau = _geqrf(a)
    q = linalg.householder_product(vectors, tau)
    return q * vectors.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)


class _Orthogonal(Module):
    """A matrix with orthonormal columns (or rows, when it is wide) computed from any matrix."""

    base: Any

    def __init__(self, weight: Any, orthogonal_map: _OrthMaps, *, use_trivialization: bool = True) -> None:
        super().__init__()
        if weight.is_complex() and orthogonal_map == _OrthMaps.householder:
            raise ValueError("The householder parametrization does not support complex tensors.")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Any) -> Any:
        """Any matrix to an orthogonal one."""
        from rushlight import linalg

        n, k = X.size(-2), X.size(-1)
        wide = n < k
        if wide:
            X, n, k = X.mT, k, n
        if self.orthogonal_map == _OrthMaps.householder:
            below = X.tril(-1)
            q = linalg.householder_product(below, 2.0 / (1.0 + (below * below).sum(-2)))
            q = q * X.diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2).to(X.dtype)
        else:
            a = X.tril()
            if n != k:
                a = _C.cat([a, a.new_zeros(n, n - k).expand(*a.shape[:-2], -1, -1)], dim=-1)
            a = a - a.mH
            if self.orthogonal_map == _OrthMaps.matrix_exp:
                q = linalg.matrix_exp(a)
            else:
                identity = _C.eye(n, dtype=a.dtype, device=a.device)
                q = linalg.solve(identity - 0.5 * a, identity + 0.5 * a)
            if n != k:
                q = q[..., :k]
        if getattr(self, "base", None) is not None:
            q = self.base @ q
        return q.mT if wide else q

    def right_inverse(self, Q: Any) -> Any:
        """A matrix from which `forward` computes the (nearest) orthogonal Q."""
        if Q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {Q.shape}."
            )
        n, k = Q.size(-2), Q.size(-1)
        wide = n < k
        q = Q.mT if wide else Q
        n, k = (k, n) if wide else (n, k)
        if not hasattr(self, "base"):
            if self.orthogonal_map != _OrthMaps.householder:
                raise NotImplementedError(
                    "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                    "use_trivialization=False."
                )
            a, tau = _geqrf(q)
            # R's diagonal becomes the signs: that tells apart what one set of reflections can not.
            a.diagonal(dim1=-2, dim2=-1).sign_()
            a.diagonal(dim1=-2, dim2=-1)[tau == 0.0] *= -1
            return a.mT if wide else a
        if n == k:
            q = q if _is_orthogonal(q) else _make_orthogonal(q)
            q = q.clone()
        else:
            extra = _C.randn(*q.shape[:-2], n, n - k, dtype=q.dtype, device=q.device)
            q = _make_orthogonal(_C.cat([q, extra], dim=-1))
        self.base = q
        start = _C.zeros_like(Q)
        start.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
        return start


def orthogonal(
    module: Any, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> Any:
    """Keep a matrix orthogonal (its shorter side orthonormal) while it is trained.

    Args:
        module: whose parameter.
        name: which; batches of matrices (..., m, n) are taken one by one.
        orthogonal_map: "matrix_exp", "cayley" or "householder". By default matrix_exp for square or complex ones.
        use_trivialization: multiply by a base, which makes assigning possible for all maps.

    Raises:
        ValueError: no such tensor, less than two dimensions, or an unknown map.

    Example:
        >>> import rushlight as torch
        >>> m = torch.nn.utils.parametrizations.orthogonal(torch.nn.Linear(20, 40))
        >>> Q = m.weight
        >>> bool(torch.dist(Q.T @ Q, torch.eye(20)) < 1e-4)
        True

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.orthogonal.html
    (Lezcano-Casado & Martinez-Rubio 2019)
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, _C.Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    if weight.ndim < 2:
        raise ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions.")
    if orthogonal_map is None:
        square = weight.size(-2) == weight.size(-1)
        orthogonal_map = "matrix_exp" if square or weight.is_complex() else "householder"
    chosen = getattr(_OrthMaps, orthogonal_map, None)
    if chosen is None:
        raise ValueError(
            f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {orthogonal_map}'
        )
    made = _Orthogonal(weight, chosen, use_trivialization=use_trivialization)
    parametrize.register_parametrization(module, name, made, unsafe=True)
    return module


class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Any, weight_v: Any) -> Any:
        return scaled_direction(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Any) -> tuple[Any, Any]:
        return norm_except_dim(weight, self.dim), weight


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Keep a parameter as lengths (`original0`) and directions (`original1`) (Salimans & Kingma 2016).

    Args:
        module: whose parameter.
        name: which.
        dim: the dimension with one length for each index; None for one length in all.

    Example:
        >>> import rushlight as torch
        >>> m = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(20, 40))
        >>> m.parametrizations.weight.original0.shape
        torch.Size([40, 1])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.weight_norm.html
    """
    parametrize.register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def from_hooks(
        state_dict: Any, prefix: str, local_metadata: Any, strict: bool, missing_keys: Any, unexpected_keys: Any,
        error_msgs: Any,
    ) -> None:  # fmt: skip
        """States of the older `nn.utils.weight_norm` load too."""
        old = [f"{prefix}{name}_g", f"{prefix}{name}_v"]
        if all(key in state_dict for key in old):
            for i, key in enumerate(old):
                state_dict[f"{prefix}parametrizations.{name}.original{i}"] = state_dict.pop(key)

    module._register_load_state_dict_pre_hook(from_hooks)
    return module


class _SpectralNorm(Module):
    _u: Any
    _v: Any

    def __init__(self, weight: Any, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        ndim = weight.ndim
        if dim >= ndim or dim < -ndim:
            raise IndexError(f"Dimension out of range (expected to be in range of [-{ndim}, {ndim - 1}] but got {dim})")
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.dim = dim if dim >= 0 else dim + ndim
        self.eps = eps
        if ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = self._matrix(weight)
            rows, columns = matrix.shape
            u = matrix.new_empty(rows).normal_(0, 1)
            v = matrix.new_empty(columns).normal_(0, 1)
            self.register_buffer("_u", F.normalize(u, dim=0, eps=eps))
            self.register_buffer("_v", F.normalize(v, dim=0, eps=eps))
            self._power_method(matrix, 15)

    def _matrix(self, weight: Any) -> Any:
        if self.dim != 0:
            weight = weight.movedim(self.dim, 0)
        return weight.flatten(1)

    def _power_method(self, matrix: Any, steps: int) -> None:
        with no_grad():
            for _ in range(steps):
                self._u = F.normalize(_C.mv(matrix, self._v), dim=0, eps=self.eps, out=self._u)
                self._v = F.normalize(_C.mv(matrix.mH, self._u), dim=0, eps=self.eps, out=self._v)

    def forward(self, weight: Any) -> Any:
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = self._matrix(weight)
        if self.training:
            self._power_method(matrix.detach(), self.n_power_iterations)
        u, v = self._u.clone(), self._v.clone()
        return weight / _C.vdot(u, _C.mv(matrix, v))

    def right_inverse(self, value: Any) -> Any:
        return value


def spectral_norm(
    module: Any, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Any:
    """Divide a parameter by its largest singular value, whenever it is read (Miyato et al. 2018).

    Args:
        module: whose parameter.
        name: which.
        n_power_iterations: steps of power iteration for each reading in training.
        eps: against division by zero.
        dim: the dimension of the outputs: 1 for transposed convolutions, otherwise 0.

    Raises:
        ValueError: no such tensor.

    Example:
        >>> import rushlight as torch
        >>> m = torch.nn.utils.parametrizations.spectral_norm(torch.nn.Linear(20, 40))
        >>> abs(torch.linalg.matrix_norm(m.weight, 2).item() - 1) < 0.2
        True

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.spectral_norm.html
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, _C.Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    if dim is None:
        dim = int(_is_transposed(module))
    parametrize.register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))
    return module
