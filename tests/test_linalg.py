"""Linear algebra: factorizations under their newer and older names, norms, gradients."""

import pytest

from .conftest import CANDIDATE, torch


@pytest.mark.parametrize("name", ["inv", "det", "slogdet", "cholesky", "svdvals", "eigvalsh", "matrix_exp", "pinv"])
def test_linalg_gradients(name):
    a = torch.rand(3, 3, dtype=torch.float64)
    a = (a @ a.T + torch.eye(3, dtype=torch.float64)).requires_grad_()

    def symmetric(x):
        found = getattr(torch.linalg, name)((x + x.T) / 2)
        return found[1] if isinstance(found, tuple) else found

    assert torch.autograd.gradcheck(symmetric, (a,))
    assert torch.autograd.gradgradcheck(symmetric, (a,))


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3), (2, 4, 4)])
def test_lu(shape):
    A = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    for P, L, U in (torch.linalg.lu(A), torch.lu_unpack(*torch.lu(A))):
        assert torch.allclose(P @ L @ U, A)
    assert torch.autograd.gradcheck(lambda A: torch.linalg.lu(A)[1:], (A,))
    if shape[-1] == shape[-2]:
        b = torch.randn(*shape[:-1], 2, dtype=torch.float64)
        assert torch.allclose(A @ b.lu_solve(*A.lu()), A @ torch.linalg.solve(A, b))
        x, _ = torch.triangular_solve(b, A, upper=False, transpose=True)
        assert torch.allclose(A.tril().mT @ x, b)


def test_qr_as_lapack_leaves_it():
    A, b = torch.randn(5, 3, dtype=torch.float64), torch.randn(5, 2, dtype=torch.float64)
    factors, tau = torch.geqrf(A)
    Q = torch.orgqr(factors, tau)
    assert torch.allclose(Q @ factors[:3].triu(), A)
    whole = torch.ormqr(factors, tau, torch.eye(5, dtype=torch.float64))
    assert torch.allclose(whole[:, :3], Q)
    assert torch.allclose(torch.ormqr(factors, tau, b, transpose=True), whole.mT @ b)
    assert torch.allclose(torch.ormqr(factors, tau, b.mT, left=False), b.mT @ whole)


def test_largest_singular_values():
    A = torch.randn(30, 3, dtype=torch.float64) @ torch.randn(3, 8, dtype=torch.float64)
    U, S, V = torch.svd_lowrank(A, q=4)
    assert torch.allclose(U @ torch.diag(S) @ V.mT, A) and S[3] < 1e-8
    U, S, V = torch.pca_lowrank(A, q=3)
    assert torch.allclose(U @ torch.diag(S) @ V.mT, A - A.mean(0))


@pytest.mark.parametrize("hermitian", [False, True])
def test_ldl(hermitian):
    A = torch.randn(3, 6, 6, dtype=torch.complex128 if hermitian else torch.float64)
    A = A + (A.mH if hermitian else A.mT)
    LD, pivots = torch.linalg.ldl_factor(A, hermitian=hermitian)
    assert isinstance(torch.linalg.ldl_factor_ex(A, hermitian=hermitian), torch.return_types.linalg_ldl_factor_ex)
    assert pivots.dtype == torch.int32 and LD.triu(1).abs().max() == 0
    B = torch.randn(6, 2, dtype=A.dtype, requires_grad=True)
    assert torch.allclose(A @ torch.linalg.ldl_solve(LD, pivots, B, hermitian=hermitian), B.expand(3, 6, 2))
    if CANDIDATE != "torch":  # which has no gradient of it
        assert torch.autograd.gradcheck(
            lambda B: torch.linalg.ldl_solve(LD[0], pivots[0], B, hermitian=hermitian), (B,)
        )
    with pytest.raises(RuntimeError, match="" if CANDIDATE == "torch" else "singular"):
        torch.linalg.ldl_factor(torch.zeros(2, 2))
    assert torch.linalg.ldl_factor_ex(torch.zeros(2, 2)).info.item() == 1


def test_nuclear_norm():
    x = torch.arange(6.0, dtype=torch.float64).reshape(2, 3).requires_grad_()
    assert torch.norm(x, p="nuc").item() == pytest.approx(8.348469, abs=1e-5)
    assert torch.autograd.gradcheck(lambda x: x.norm(p="nuc"), (x,))


def test_cholesky_ex_says_which_minor_of_which_matrix():
    good = torch.tensor([[4.0, 0.0], [0.0, 9.0]])
    A = torch.stack([torch.tensor([[1.0, 2.0], [2.0, 1.0]]), good, -good])
    for upper in (False, True):
        L, info = torch.linalg.cholesky_ex(A, upper=upper)
        assert info.tolist() == [2, 0, 1] and info.dtype == torch.int32
        assert L[1].tolist() == [[2.0, 0.0], [0.0, 3.0]]
    with pytest.raises(torch.linalg.LinAlgError, match=r"Batch element 0.*order 2"):
        torch.linalg.cholesky(A)


EXACT = {"float32": 1e-4, "float64": 1e-11, "complex64": 1e-4, "complex128": 1e-11}


@pytest.mark.parametrize("dtype", EXACT)
@pytest.mark.parametrize("n", [1, 2, 16, 17, 33, 100, 257])
def test_factors_of_every_size(n, dtype):
    """Each side of the sizes at which a problem is halved."""
    kind = getattr(torch, dtype)
    close = {"atol": EXACT[dtype] * n, "rtol": 0}
    A = torch.randn(n, n, dtype=kind)
    P, L, U = torch.linalg.lu(A)
    assert torch.allclose(P @ L @ U, A, **close)
    assert L.abs().max() <= (1 if not kind.is_complex else 2**0.5) + 1e-6  # the pivots were the largest
    M = A @ A.mH + n * torch.eye(n, dtype=kind)
    L = torch.linalg.cholesky(M)
    assert torch.allclose(L @ L.mH / n, M / n, **close) and (L.triu(1) == 0).all()
    assert torch.allclose(torch.linalg.inv(M) @ M, torch.eye(n, dtype=kind), **close)
    for columns in (1, 4, 5, 40):
        B = torch.randn(n, columns, dtype=kind)
        for upper in (False, True):
            T = M.triu() if upper else M.tril()
            for unit in (False, True):
                X = torch.linalg.solve_triangular(M / n, B, upper=upper, unitriangular=unit)
                whole = T / n
                if unit:
                    whole = whole - torch.diag(whole.diagonal()) + torch.eye(n, dtype=kind)
                assert torch.allclose(whole @ X, B, **close)
        assert torch.allclose(M @ torch.linalg.solve(M, B), B, **close)
        assert torch.allclose(M @ torch.cholesky_solve(B, L), B, **close)
        factors = torch.linalg.lu_factor(M)
        assert torch.allclose(M.mH @ torch.linalg.lu_solve(*factors, B, adjoint=True), B, **close)
        assert torch.allclose(torch.linalg.lu_solve(*factors, B.mT, left=False) @ M, B.mT, **close)


def test_factors_of_broadcast_batches():
    A = torch.randn(3, 1, 20, 20, dtype=torch.float64) + 20 * torch.eye(20, dtype=torch.float64)
    B = torch.randn(4, 20, 2, dtype=torch.float64)
    X = torch.linalg.solve(A, B)
    assert X.shape == (3, 4, 20, 2) and torch.allclose(A @ X, B.expand(3, 4, 20, 2))
    assert torch.allclose(A.tril() @ torch.linalg.solve_triangular(A, B, upper=False), B.expand(3, 4, 20, 2))
    assert torch.equal(torch.linalg.lu_solve(*torch.linalg.lu_factor(A), B), X)
    assert torch.linalg.cholesky(torch.empty(0, 3, 3)).shape == (0, 3, 3)
    assert torch.linalg.solve(torch.empty(2, 0, 0), torch.empty(2, 0, 3)).shape == (2, 0, 3)
    assert torch.linalg.det(torch.empty(2, 0, 0)).tolist() == [1, 1]


def test_what_cannot_be_factored_is_reported():
    A = torch.eye(40, dtype=torch.float64).repeat(3, 1, 1)
    A[1, 30, 30] = -1
    L, info = torch.linalg.cholesky_ex(A)
    assert info.tolist() == [0, 31, 0] and torch.equal(L[2], A[2])
    with pytest.raises(torch.linalg.LinAlgError, match=r"Batch element 1.*order 31 is not positive-definite"):
        torch.linalg.cholesky(A)
    A[1, 30, 30] = 0
    assert torch.linalg.lu_factor_ex(A).info.tolist() == [0, 31, 0]
    assert torch.linalg.inv_ex(A).info.tolist() == [0, 31, 0] and torch.linalg.det(A).tolist() == [1, 0, 1]
    with pytest.raises(torch.linalg.LinAlgError, match=r"Batch element 1.*diagonal element 31 is zero"):
        torch.linalg.inv(A)
    with pytest.raises(torch.linalg.LinAlgError, match=r"Batch element 1.*singular"):
        torch.linalg.solve(A, torch.ones(40, 1, dtype=torch.float64))
    A[0, 20, 20] = float("nan")
    assert torch.linalg.cholesky_ex(A).info.tolist() == [21, 31, 0]
    with pytest.raises(RuntimeError, match=r"must all be smaller or equal to LU.size\(-2\)"):
        torch.linalg.lu_solve(torch.eye(3), torch.tensor([1, 9, 3], dtype=torch.int32), torch.ones(3, 1))


def test_gradients_through_large_factors():
    A = torch.randn(40, 40, dtype=torch.float64)
    A = (A @ A.mT / 40 + torch.eye(40, dtype=torch.float64)).requires_grad_()
    (gradient,) = torch.autograd.grad(torch.linalg.cholesky(A).diagonal().log().sum() * 2, A)
    assert torch.allclose(gradient, torch.linalg.inv(A))  # the logarithm of the determinant
    B = torch.randn(40, 3, dtype=torch.float64, requires_grad=True)
    (gA, gB) = torch.autograd.grad(torch.linalg.solve(A, B).sum(), (A, B))
    (again, _) = torch.autograd.grad(torch.linalg.solve(A, B).sum(), (A, B), create_graph=True)
    assert torch.allclose(gA, again) and torch.allclose(A.mT @ gB, torch.ones_like(B))
