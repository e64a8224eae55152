"""QR, eigenvalues, singular values and least squares: as exact as the dtype lets them be, whatever the matrix."""

import math

import pytest

from .conftest import CANDIDATE, torch

DTYPES = ["float32", "float64", "complex64", "complex128"]
SHAPES = [
    (1, 1),
    (3, 3),
    (5, 2),
    (2, 5),
    (17, 17),
    (16, 40),
    (40, 16),
    (33, 20),
    (64, 64),
    (70, 66),
    (200, 3),
    (2, 3, 6, 4),
]


def matrices(kind, shape, dtype):
    """Matrices that are hard in some way, none larger than about one."""
    A = torch.randn(shape, dtype=dtype)
    if kind == "graded":
        A = A * (10.0 ** -torch.linspace(0, 12, shape[-1])).to(dtype)
    elif kind == "of low rank":
        A = A[..., :1] @ A[..., :1, :]
    elif kind == "with repeated values":
        A = torch.linalg.qr(A).Q if shape[-2] >= shape[-1] else torch.linalg.qr(A.mT).Q.mT
    elif kind == "with a row and a column of zeros":
        A[..., shape[-2] // 2, :] = 0
        A[..., shape[-1] // 2] = 0
    elif kind == "zero":
        A = A * 0
    elif kind == "identity":
        A = torch.eye(*shape[-2:], dtype=dtype).expand(shape)
    return A


KINDS = [
    "random",
    "graded",
    "of low rank",
    "with repeated values",
    "with a row and a column of zeros",
    "zero",
    "identity",
]


def assert_close(a, b, dtype, size):
    limit = 16 * torch.finfo(dtype).eps * math.sqrt(size)
    assert a.numel() == 0 or (a - b).abs().max() <= limit


def assert_unitary(Q, dtype):
    assert_close(Q.mH @ Q, torch.eye(Q.shape[-1], dtype=dtype), dtype, Q.shape[-2] * 4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_decompositions_of_any_matrix(dtype, kind):
    dtype = getattr(torch, dtype)
    for shape in SHAPES:
        A = matrices(kind, shape, dtype)
        m, n = shape[-2:]
        norm = max(1.0, float(torch.linalg.matrix_norm(A).max()))
        for mode in ("reduced", "complete"):
            Q, R = torch.linalg.qr(A, mode)
            k = m if mode == "complete" else min(m, n)
            assert Q.shape[-2:] == (m, k) and R.shape[-2:] == (k, n)
            assert_unitary(Q, dtype)
            assert_close(Q @ R / norm, A / norm, dtype, m * n)
            assert (R.tril(-1) == 0).all()
            assert_close(torch.linalg.qr(A, "r").R / norm, R[..., : min(m, n), :] / norm, dtype, m * n)
        for full in (False, True):
            U, S, Vh = torch.linalg.svd(A, full_matrices=full)
            k = min(m, n)
            assert U.shape[-2:] == (m, m if full else k) and Vh.shape[-2:] == (n if full else k, n)
            assert_unitary(U, dtype)
            assert_unitary(Vh.mH, dtype)
            assert_close((U[..., :k] * S.unsqueeze(-2)) @ Vh[..., :k, :] / norm, A / norm, dtype, m * n)
            assert (S >= 0).all() and (S[..., 1:] <= S[..., :-1]).all()
            assert_close(torch.linalg.svdvals(A) / norm, S / norm, dtype, m * n)
        H = A @ A.mH if m <= n else A.mH @ A
        H = H / norm**2
        for uplo in "LU":
            L, V = torch.linalg.eigh((H.tril() if uplo == "L" else H.triu()) + 0, UPLO=uplo)
            assert_unitary(V, dtype)
            assert_close(H @ V, V * L.unsqueeze(-2), dtype, m * n)
            assert (L[..., 1:] >= L[..., :-1]).all()
            assert_close(torch.linalg.eigvalsh(H, UPLO=uplo), L, dtype, m * n)


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_decompositions_of_any_size_of_numbers(scale):
    A = torch.randn(7, 5, dtype=torch.float64)
    Q, R = torch.linalg.qr(A * scale)
    assert torch.allclose(Q @ (R / scale), A)
    U, S, Vh = torch.linalg.svd(A * scale, full_matrices=False)
    assert torch.allclose((U * (S / scale)) @ Vh, A)
    H = A + A.mT if A.shape[0] == A.shape[1] else A.mT @ A
    L, V = torch.linalg.eigh(H * scale)
    assert torch.allclose(V @ torch.diag(L / scale) @ V.mT, H)
    columns = torch.randn(4, 3, dtype=torch.float64) * torch.tensor([1.0, 1e-200, 1e200], dtype=torch.float64)
    Q, R = torch.linalg.qr(columns)
    assert_unitary(Q, torch.float64)
    assert torch.allclose((Q @ R)[:, 1] * 1e200, columns[:, 1] * 1e200)


def test_signs_of_qr_are_those_of_reflections():
    Q, R = torch.linalg.qr(torch.tensor([[3.0, 1.0], [4.0, 2.0]]))
    assert torch.allclose(R, torch.tensor([[-5.0, -2.2], [0.0, 0.4]]))
    Q, R = torch.linalg.qr(torch.tensor([[3.0, 1.0], [0.0, -2.0]]))  # upper triangular already
    assert torch.equal(Q, torch.eye(2)) and torch.equal(R, torch.tensor([[3.0, 1.0], [0.0, -2.0]]))
    R = torch.linalg.qr(torch.randn(3, 3, dtype=torch.complex128)).R
    assert R.diagonal().imag.abs().max() == 0


def test_numbers_that_are_not_finite():
    for bad in (math.nan, math.inf):
        A = torch.eye(3).repeat(2, 1, 1)
        A[1, 2, 1] = bad
        with pytest.raises(torch.linalg.LinAlgError, match=r"linalg.svd: \(Batch element 1\).*non-finite"):
            torch.linalg.svd(A)
        with pytest.raises(torch.linalg.LinAlgError, match="linalg.svd"):
            torch.linalg.svdvals(A)
        if CANDIDATE != "torch":  # which gives numbers for some of them
            with pytest.raises(torch.linalg.LinAlgError, match=r"linalg.eigh: \(Batch element 1\)"):
                torch.linalg.eigh(A)
        with pytest.raises(RuntimeError, match="should not contain infs or NaNs"):
            torch.linalg.eig(A)
    assert torch.linalg.qr(torch.full((2, 2), math.nan)).R[0, 0].isnan()


def test_matrices_without_elements():
    Q, R = torch.linalg.qr(torch.empty(3, 0), "complete")
    assert torch.equal(Q, torch.eye(3)) and R.shape == (3, 0)
    U, S, Vh = torch.linalg.svd(torch.empty(2, 0, 3))
    assert U.shape == (2, 0, 0) and S.shape == (2, 0) and torch.equal(Vh, torch.eye(3).expand(2, 3, 3))
    assert torch.linalg.eigh(torch.empty(0, 3, 3)).eigenvectors.shape == (0, 3, 3)
    assert torch.linalg.pinv(torch.empty(0, 3)).shape == (3, 0)
    assert torch.linalg.cond(torch.empty(2, 0, 0)).tolist() == [0, 0]
    assert torch.linalg.matrix_rank(torch.empty(0, 3)).item() == 0
    assert torch.linalg.lstsq(torch.empty(0, 4, 3), torch.empty(0, 4, 2)).solution.shape == (0, 3, 2)


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_gradients(dtype):
    dtype = getattr(torch, dtype)
    for shape in ((4, 4), (5, 3), (3, 5), (2, 4, 3)):
        A = torch.randn(shape, dtype=dtype, requires_grad=True)
        assert torch.autograd.gradcheck(lambda A: torch.linalg.pinv(A), (A,))
        assert torch.autograd.gradcheck(lambda A: torch.linalg.svdvals(A), (A,))
        b = torch.randn(*shape[:-1], 2, dtype=dtype, requires_grad=True)
        assert torch.autograd.gradcheck(lambda A, b: torch.linalg.lstsq(A, b).solution, (A, b))
        if shape[-2] >= shape[-1]:
            assert torch.autograd.gradcheck(lambda A: tuple(torch.linalg.qr(A)), (A,))
    A = torch.randn(4, 4, dtype=dtype, requires_grad=True)
    assert torch.autograd.gradcheck(lambda A: torch.linalg.eigvalsh(A + A.mH), (A,))
    assert torch.autograd.gradcheck(lambda A: torch.linalg.eigh(A + A.mH)[1].abs(), (A,))
    assert torch.autograd.gradcheck(lambda A: torch.linalg.pinv(A + A.mH, hermitian=True), (A,))
    tau = torch.randn(3, dtype=dtype, requires_grad=True)
    reflections = torch.randn(4, 3, dtype=dtype, requires_grad=True)
    assert torch.autograd.gradcheck(torch.linalg.householder_product, (reflections, tau))


def test_gradient_of_pinv_is_that_of_the_whole_matrix():
    A = torch.tensor([[2.0, 1.0], [1.0, 3.0]], requires_grad=True)
    (expected,) = torch.autograd.grad(torch.linalg.pinv(A)[0, 1], A)
    (found,) = torch.autograd.grad(torch.linalg.pinv(A, hermitian=True)[0, 1], A)
    assert torch.allclose(found, expected)


def test_losses_of_the_phase_of_a_vector_are_refused():
    A = torch.randn(3, 3, dtype=torch.complex128, requires_grad=True)
    for vectors in (
        lambda: torch.linalg.svd(A)[0],
        lambda: torch.linalg.eigh(A)[1],
        lambda: torch.linalg.eig(A)[1],
    ):
        with pytest.raises(RuntimeError, match=r"specified up to multiplication by e\^\{i phi\}"):
            vectors().imag.sum().backward()


@pytest.mark.parametrize("driver", ["gels", "gelsy", "gelsd", "gelss"])
def test_residuals_that_are_not_computed_have_a_history(driver):
    A, b = torch.eye(2, 3, requires_grad=True), torch.ones(2, 1)
    found = torch.linalg.lstsq(A, b, driver=driver)
    assert found.residuals.shape == (0,) and found.residuals.requires_grad
    assert not torch.linalg.lstsq(A.detach(), b, driver=driver).residuals.requires_grad


@pytest.mark.parametrize("driver", [None, "gels", "gelsy", "gelsd", "gelss"])
def test_least_squares(driver):
    for dtype in (torch.float64, torch.complex128):
        for shape in ((6, 3), (3, 6), (4, 4), (2, 6, 3), (80, 70), (70, 80)):
            A, B = torch.randn(shape, dtype=dtype), torch.randn(*shape[:-1], 2, dtype=dtype)
            found = torch.linalg.lstsq(A, B, driver=driver)
            assert torch.allclose(found.solution, torch.linalg.pinv(A) @ B)
            residuals = driver not in (None, "gelsy") and shape[-2] > shape[-1]
            assert found.residuals.shape == ((*shape[:-2], 2) if residuals else (0,))
            if residuals:
                assert torch.allclose(found.residuals, (A @ found.solution - B).abs().square().sum(-2))
            assert found.rank.shape == ((0,) if driver == "gels" else shape[:-2])
            assert (found.rank == min(shape[-2:])).all()
            values = driver in ("gelsd", "gelss")
            assert found.singular_values.dtype == torch.float64
            assert found.singular_values.shape == ((*shape[:-2], min(shape[-2:])) if values else (0,))
    b = torch.randn(6, dtype=torch.float64)
    found = torch.linalg.lstsq(torch.randn(6, 3, dtype=torch.float64), b, driver=driver)
    assert found.solution.shape == (3,) and found.residuals.shape in ((1,), (0,))
    if driver != "gels":
        A = torch.outer(torch.arange(1.0, 6), torch.arange(1.0, 4)).double()
        found = torch.linalg.lstsq(A, torch.ones(5, 1, dtype=torch.float64), driver=driver)
        assert found.rank == 1
        assert torch.allclose(found.solution, torch.linalg.pinv(A) @ torch.ones(5, 1, dtype=torch.float64))
        A = torch.diag(torch.tensor([1.0, 0.1, 0.01]))
        assert torch.linalg.lstsq(A, torch.ones(3, 1), rcond=0.05, driver=driver).rank == 2


def test_least_squares_refuses():
    A = torch.ones(2, 4, 3)
    with pytest.raises(RuntimeError, match="other must have at least 1 dimension"):
        torch.linalg.lstsq(A, torch.tensor(1.0))
    with pytest.raises(RuntimeError, match="input.dim.. must be greater or equal to other.dim"):
        torch.linalg.lstsq(A[0], torch.ones(2, 4, 3))
    with pytest.raises(RuntimeError, match="same dtype"):
        torch.linalg.lstsq(A, torch.ones(2, 4, 1, dtype=torch.float64))
    with pytest.raises(torch.linalg.LinAlgError, match=r"does not have full rank \(error code: 2\)"):
        torch.linalg.lstsq(torch.eye(4, 3) * torch.tensor([1.0, 0.0, 1.0]), torch.ones(4, 1), driver="gels")


def test_reflections_refuse():
    A = torch.ones(2, 4, 3)
    with pytest.raises(RuntimeError, match="greater than or equal to tau.shape"):
        torch.linalg.householder_product(A, torch.ones(2, 4))
    with pytest.raises(RuntimeError, match="one dimension less"):
        torch.linalg.householder_product(A, torch.ones(3))
    with pytest.raises(RuntimeError, match="greater than or equal to input.shape"):
        torch.linalg.householder_product(A.mT, torch.ones(2, 3))
    with pytest.raises(RuntimeError, match="same number of dimensions"):
        torch.ormqr(A, torch.ones(2, 3), torch.ones(4, 2))


@pytest.mark.parametrize("dtype", DTYPES)
def test_products_with_reflections(dtype):
    dtype = getattr(torch, dtype)
    for shape in ((5, 3), (40, 35), (2, 20, 20)):
        A, tau = torch.geqrf(torch.randn(shape, dtype=dtype))
        m = shape[-2]
        wide = torch.cat([A, torch.zeros(*shape[:-1], m - shape[-1], dtype=dtype)], -1)
        Q = torch.linalg.householder_product(wide, tau)
        assert_unitary(Q, dtype)
        for columns in (1, 6, 40):
            C = torch.randn(*shape[:-2], m, columns, dtype=dtype)
            for transpose in (False, True):
                whole = Q.mH if transpose else Q
                assert_close(torch.ormqr(A, tau, C, transpose=transpose), whole @ C, dtype, 100 * m)
                assert_close(torch.ormqr(A, tau, C.mT, left=False, transpose=transpose), C.mT @ whole, dtype, 100 * m)


def test_condition_of_each_matrix():
    A = torch.stack([torch.diag(torch.tensor([1.0, 4.0])), torch.ones(2, 2)])
    for p in (1, "fro", math.inf):
        found = torch.linalg.cond(A, p)
        assert found[0] == pytest.approx(4.25 if p == "fro" else 4) and found[1] == math.inf


def test_exponentials_of_each_matrix():
    A = torch.stack([torch.zeros(2, 2), torch.full((2, 2), math.nan), torch.tensor([[0.0, 9.0], [-9.0, 0.0]])])
    found = torch.linalg.matrix_exp(A)
    assert torch.equal(found[0], torch.eye(2)) and found[1].isnan().all()
    c, s = math.cos(9), math.sin(9)
    assert torch.allclose(found[2], torch.tensor([[c, s], [-s, c]]), atol=1e-6)
    assert torch.linalg.matrix_exp(torch.eye(2, dtype=torch.float16)).dtype == torch.float16


def test_powers_of_integers():
    A = torch.tensor([[1, 1], [1, 0]])
    assert torch.linalg.matrix_power(A, 10).tolist() == [[89, 55], [55, 34]]
    with pytest.raises(RuntimeError):
        torch.linalg.matrix_power(A, -1)
    with pytest.raises(RuntimeError, match="square"):
        torch.linalg.matrix_power(torch.ones(2, 3), 2)


def test_lu_factor_says_what_is_singular():
    with pytest.raises(RuntimeError, match=r"lu_factor: \(Batch element 1\): U\[2,2\] is zero"):
        torch.linalg.lu_factor(torch.stack([torch.eye(2), torch.ones(2, 2)]))
    assert torch.equal(torch.linalg.lu(torch.ones(2, 2)).U, torch.tensor([[1.0, 1.0], [0.0, 0.0]]))


def test_results_go_into_out():
    A, B = torch.randn(3, 3, dtype=torch.float64), torch.randn(2, 3, dtype=torch.float64)
    out = torch.empty(0, dtype=torch.float64)
    X = torch.linalg.solve_triangular(A, B, upper=True, left=False, out=out)
    assert X is out and torch.allclose(X @ A.triu(), B)
    with pytest.raises(RuntimeError):
        torch.linalg.qr(A, out=(torch.empty(0, dtype=torch.int64), torch.empty(0)))
    Q, R = A.new_empty(0), A.new_empty(0)
    torch.linalg.qr(A, out=(Q, R))
    assert torch.allclose(Q @ R, A)


def test_dtypes_that_kernels_lack():
    half = torch.eye(2, dtype=torch.float16)
    for function in (torch.linalg.qr, torch.linalg.eigh, torch.linalg.svd, torch.linalg.eig, torch.linalg.cholesky):
        with pytest.raises(NotImplementedError, match="not implemented for 'Half'"):
            function(half)
    with pytest.raises(NotImplementedError, match="not implemented for 'Long'"):
        torch.linalg.eigh(torch.eye(2, dtype=torch.int64))


@pytest.mark.skipif(CANDIDATE == "torch", reason="what is the core's")
def test_views_are_read_where_they_lie():
    A = torch.randn(4, 6, 10, dtype=torch.float64)[:, :, ::2].mT
    assert torch.equal(torch.linalg.qr(A).R, torch.linalg.qr(A.contiguous()).R)
    assert torch.equal(torch.linalg.svd(A).S, torch.linalg.svd(A.contiguous()).S)
    H = torch.randn(5, 5, dtype=torch.complex128)
    assert torch.equal(torch.linalg.eigvalsh(H.mH, UPLO="U"), torch.linalg.eigvalsh(H, UPLO="L"))
