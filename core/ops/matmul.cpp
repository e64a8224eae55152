// Products of vectors, matrices and batches of matrices. Transposes are strides: nothing is copied to be multiplied.
#include <algorithm>

#include "kernels/gemm.h"
#include "kernels/pointwise/arithmetic.h"
#include "kernels/reduce.h"
#include "ops/product.h"

namespace rl {
namespace {

template <class T>
void multiply_as(const MatrixProduct& p) {
  using P = gemm_scalar_t<T>;
  GemmArgs<T> g;
  g.m = p.m, g.n = p.n, g.k = p.k;
  g.a = {static_cast<const T*>(p.a), p.a_row, p.a_col};
  g.b = {static_cast<const T*>(p.b), p.b_row, p.b_col};
  g.c = {static_cast<T*>(p.c), p.c_row, 1};
  g.alpha = p.alpha.to<P>();
  g.beta = p.beta.to<P>();
  g.bias_n = static_cast<const T*>(p.bias);
  g.batch = p.batch, g.a_batch = p.a_batch, g.b_batch = p.b_batch, g.c_batch = p.c_batch;
  g.a_offsets = p.a_offsets, g.b_offsets = p.b_offsets, g.c_offsets = p.c_offsets;
  gemm(g);
}

}  // namespace

void multiply(const MatrixProduct& p, const char* kernel) {
  switch (p.dtype) {
    case DType::F32: return multiply_as<float>(p);
    case DType::F64: return multiply_as<double>(p);
    case DType::F16: return multiply_as<Half>(p);
    case DType::BF16: return multiply_as<BFloat16>(p);
    case DType::C64: return multiply_as<Complex64>(p);
    case DType::C128: return multiply_as<Complex128>(p);
    case DType::U8: return multiply_as<uint8_t>(p);
    case DType::I8: return multiply_as<int8_t>(p);
    case DType::I16: return multiply_as<int16_t>(p);
    case DType::I32: return multiply_as<int32_t>(p);
    case DType::I64: return multiply_as<int64_t>(p);
    default: fail(ErrorKind::NotImplemented, "\"", kernel, "\" not implemented for '", scalar_type_name(p.dtype), "'");
  }
}

const char* cpp_name(DType d) {
  static constexpr const char* kNames[kDTypeCount] = {"unsigned char",
                                                      "signed char",
                                                      "short int",
                                                      "int",
                                                      "long int",
                                                      "c10::Half",
                                                      "float",
                                                      "double",
                                                      "c10::complex<float>",
                                                      "c10::complex<double>",
                                                      "bool",
                                                      "c10::BFloat16"};
  return kNames[static_cast<int>(d)];
}

[[gnu::cold, gnu::noinline]] void bad_shapes(const char* op, const Tensor& a, const Tensor& b, int64_t m, int64_t k,
                                             int64_t k2, int64_t n) {
  std::string hint;
  if (a.dim() > 1 && b.dim() > 1) {
    int64_t rows_a = a.size(-2);
    if (k == n) hint = concat(". To multiply by its transpose: a @ b.", b.dim() == 2 ? "T" : "mT");
    if (rows_a == k2 && a.dim() == 2) hint += hint.empty() ? ". To multiply the transpose: a.T @ b" : ", or a.T @ b";
    if (same_shape(a, b)) hint += hint.empty() ? ". To multiply elementwise: a * b" : "; elementwise: a * b";
  }
  fail(ErrorKind::Runtime, "mat1 and mat2 shapes cannot be multiplied (", m, "x", k, " and ", k2, "x", n, "): ", op,
       " of ", tuple_str(a.sizes()), " and ", tuple_str(b.sizes()), " needs the last dimension of the first (", k,
       ") to equal the ", b.dim() > 1 ? "second last of the other (" : "length of the other (", k2, ")", hint);
}

[[gnu::cold, gnu::noinline]] void bad_dtypes(const Tensor& a, const Tensor& b, ProductKind kind) {
  DType wide = promote(a.dtype(), b.dtype());
  bool first = a.dtype() != wide;
  const char *x = scalar_type_name(a.dtype()), *y = scalar_type_name(b.dtype());
  std::string what;
  switch (kind) {
    case ProductKind::Matrices:
      what = concat("expected m1 and m2 to have the same dtype, but got: ", cpp_name(a.dtype()),
                    " != ", cpp_name(b.dtype()));
      break;
    case ProductKind::WithAddend:
      what = concat("mat1 and mat2 must have the same dtype, but got ", x, " and ", y);
      break;
    case ProductKind::Batches: what = concat("expected scalar type ", x, " but found ", y); break;
    case ProductKind::Vector:
      what = concat("addmv input tensors must have the same dtype, but got ", y, ", ", x, ", and ", y);
  }
  fail(ErrorKind::Runtime, what, " (shapes ", tuple_str(a.sizes()), " and ", tuple_str(b.sizes()),
       "; convert one of them: the ", first ? "first" : "second", ".to(torch.", dtype_name(wide), "))");
}

Tensor scaled(const Tensor& g, const Scalar& by) {
  if (by.to_complex() == std::complex<double>(1)) return g;
  Scalar factor = by.is_complex() ? Scalar(std::conj(by.to_complex())) : by;
  return call<pointwise::Mul>(g, Tensor::wrapped(factor));
}

// --- batches ---------------------------------------------------------------------------------------------------------

namespace {

// The leading axes of two operands walked together: one stride each, or a list of offsets.
struct BatchWalk {
  Dims sizes;
  int64_t count = 1, a_stride = 0, b_stride = 0;
  SmallVector<int64_t, 16> a_offsets, b_offsets;
  bool strided = true;

  BatchWalk(IntSpan a_sizes, IntSpan a_strides, IntSpan b_sizes, IntSpan b_strides)
      : sizes(broadcast_shapes(a_sizes, b_sizes)) {
    for (int64_t s : sizes) count *= s;
    if (count <= 1) return;
    Dims sa = broadcast_strides(a_sizes, a_strides, sizes), sb = broadcast_strides(b_sizes, b_strides, sizes);
    int64_t reach = 0;  // the size of the axes merged so far
    for (int64_t d = sizes.size() - 1; d >= 0; --d) {
      if (sizes[d] == 1) continue;
      if (reach == 0) {
        a_stride = sa[d], b_stride = sb[d];
        reach = sizes[d];
      } else if (sa[d] == a_stride * reach && sb[d] == b_stride * reach) {
        reach *= sizes[d];
      } else {
        strided = false;
      }
    }
    if (strided) return;
    a_offsets.resize(count, 0);
    b_offsets.resize(count, 0);
    for (int64_t i = 0; i < count; ++i) {
      int64_t rest = i;
      for (int64_t d = sizes.size() - 1; d >= 0; --d) {
        int64_t at = rest % sizes[d];
        rest /= sizes[d];
        a_offsets[i] += at * sa[d];
        b_offsets[i] += at * sb[d];
      }
    }
  }
};

// An operand seen as a batch of matrices: a vector on the left is one row, on the right one column.
struct Matrices {
  IntSpan lead, lead_strides;
  int64_t rows, cols, row_stride, col_stride;

  Matrices(const Tensor& t, bool transposed, bool left) {
    int64_t d = t.dim();
    IntSpan s = t.sizes(), st = t.strides();
    if (d == 1) {
      rows = left ? 1 : s[0], cols = left ? s[0] : 1;
      row_stride = left ? s[0] * st[0] : st[0], col_stride = left ? st[0] : 1;
      return;
    }
    size_t n = static_cast<size_t>(d - 2);
    lead = s.first(n), lead_strides = st.first(n);
    rows = s[n], cols = s[n + 1], row_stride = st[n], col_stride = st[n + 1];
    if (transposed) {
      std::swap(rows, cols);
      std::swap(row_stride, col_stride);
    }
  }
};

// Over vectors, matrices and batches of them, without history. The result has no axis where an operand is a vector.
Tensor raw_matmul(const Tensor& a, bool ta, const Tensor& b, bool tb, const char* kernel) {
  check_dtypes(a, b);
  Matrices x(a, ta, true), y(b, tb, false);
  BatchWalk walk(x.lead, x.lead_strides, y.lead, y.lead_strides);
  Dims shape = walk.sizes;
  if (a.dim() > 1) shape.push_back(x.rows);
  if (b.dim() > 1) shape.push_back(y.cols);
  Tensor out = Tensor::empty(shape, a.dtype());
  if (out.numel() == 0) return out;
  MatrixProduct p{a.dtype(),    x.rows,  y.cols,       x.cols,       a.raw(),   x.row_stride,
                  x.col_stride, b.raw(), y.row_stride, y.col_stride, out.raw(), y.cols};
  p.batch = walk.count;
  p.c_batch = x.rows * y.cols;
  SmallVector<int64_t, 16> c_offsets;
  if (walk.strided) {
    p.a_batch = walk.a_stride, p.b_batch = walk.b_stride;
  } else {
    for (int64_t i = 0; i < walk.count; ++i) c_offsets.push_back(i * p.c_batch);
    p.a_offsets = walk.a_offsets.data(), p.b_offsets = walk.b_offsets.data(), p.c_offsets = c_offsets.data();
  }
  multiply(p, kernel);
  return out;
}

}  // namespace

Tensor batched_times(const Tensor& a, bool ta, const Tensor& b, bool tb) {
  if (!grad_mode.enabled) return raw_matmul(a, ta, b, tb, "bmm");
  return matmul(ta ? mT(a) : a, tb ? mT(b) : b);
}

Tensor as_matrix(const Tensor& t) {
  if (t.dim() == 2) return t;
  int64_t cols = t.size(-1);
  return reshape(t, Dims{cols ? t.numel() / cols : product(t.sizes().first(static_cast<size_t>(t.dim() - 1))), cols});
}

namespace {

// The gradients of matmul in operands of any number of axes.
void matmul_backward(Backward& ctx) {
  Tensor a = ctx.saved(0), b = ctx.saved(1), g = ctx.grad();
  // A vector operand has lost its axis in the result: give it back.
  if (b.dim() == 1) g = unsqueeze(g, g.dim());
  if (a.dim() == 1) g = unsqueeze(g, g.dim() - 1);
  Tensor left = a.dim() == 1 ? unsqueeze(a, 0) : a, right = b.dim() == 1 ? unsqueeze(b, 1) : b;
  if (ctx.needs(0)) {
    Tensor r = sum_to(batched_times(g, false, conj_of(right), true), left.sizes());
    ctx.set(0, a.dim() == 1 ? reshape(r, a.sizes()) : r);
  }
  if (ctx.needs(1)) {
    // One matrix for all of a batch: its gradient is one product over all lines.
    Tensor r = right.dim() == 2 && left.dim() > 2 ? times(as_matrix(conj_of(left)), true, as_matrix(g), false)
                                                  : sum_to(batched_times(conj_of(left), true, g, false), right.sizes());
    ctx.set(1, b.dim() == 1 ? reshape(r, b.sizes()) : r);
  }
}

void mm_backward(Backward& ctx) {
  const Tensor& g = ctx.grad();
  if (ctx.needs(0)) ctx.set(0, times(g, false, conj_of(ctx.saved(1)), true));
  if (ctx.needs(1)) ctx.set(1, times(conj_of(ctx.saved(0)), true, g, false));
}

constexpr auto kMmFormula = [](Backward& ctx) { mm_backward(ctx); };
constexpr auto kMatmulFormula = [](Backward& ctx) { matmul_backward(ctx); };

}  // namespace

Tensor raw_mm(const Tensor& a, bool ta, const Tensor& b, bool tb) {
  check_dtypes(a, b);
  IntSpan as = a.sizes(), bs = b.sizes(), at = a.strides(), bt = b.strides();
  int64_t m = as[ta], k = as[!ta], n = bs[!tb];
  int64_t shape[2] = {m, n};
  Tensor out = Tensor::empty({shape, 2}, a.dtype());
  if (m != 0 && n != 0)
    multiply({a.dtype(), m, n, k, a.raw(), at[ta], at[!ta], b.raw(), bt[tb], bt[!tb], out.raw(), n}, "addmm_impl_cpu_");
  return out;
}

Tensor raw_column_sum(const Tensor& g) {
  int64_t rows = g.sizes()[0], cols = g.sizes()[1];
  Tensor out = Tensor::empty({&cols, 1}, g.dtype());
  if (cols == 0) return out;
  cpu::ReduceShape shape{1, rows, cols, 0, g.strides()[0], g.strides()[1]};
  cpu::reduce_sum().sum(g.dtype(), g.raw(), shape, out.raw());
  return out;
}

Tensor mm(const Tensor& a, const Tensor& b) {
  check(a.dim() == 2, "self must be a matrix, got shape ", tuple_str(a.sizes()),
        "; matmul (@) takes vectors and batches too");
  check(b.dim() == 2, "mat2 must be a matrix, got shape ", tuple_str(b.sizes()),
        "; matmul (@) takes vectors and batches too");
  if (a.sizes()[1] != b.sizes()[0])
    bad_shapes("the product", a, b, a.sizes()[0], a.sizes()[1], b.sizes()[0], b.sizes()[1]);
  check_dtypes(a, b);
  Tensor out = raw_mm(a, false, b, false);
  if (needs_gradient(a, b)) record("MmBackward0", out, {a, b}, {if_needed(a, b), if_needed(b, a)}, kMmFormula);
  return out;
}

Tensor bmm(const Tensor& a, const Tensor& b) {
  check(a.dim() == 3, "batch1 must be a 3D tensor, got shape ", tuple_str(a.sizes()));
  check(b.dim() == 3, "batch2 must be a 3D tensor, got shape ", tuple_str(b.sizes()));
  check(a.size(0) == b.size(0) && a.size(2) == b.size(1),
        "Expected size for first two dimensions of batch2 tensor to be: [", a.size(0), ", ", a.size(2), "] but got: [",
        b.size(0), ", ", b.size(1), "]. bmm() multiplies ", tuple_str(a.sizes()), " by ", tuple_str(b.sizes()),
        ": (b, n, k) by (b, k, m)");
  check_dtypes(a, b, ProductKind::Batches);
  Tensor out = raw_matmul(a, false, b, false, "bmm");
  if (needs_gradient(a, b))
    record("BmmBackward0", out, {a, b}, {if_needed(a, b), if_needed(b, a)}, [](Backward& ctx) {
      if (ctx.needs(0)) ctx.set(0, batched_times(ctx.grad(), false, conj_of(ctx.saved(1)), true));
      if (ctx.needs(1)) ctx.set(1, batched_times(conj_of(ctx.saved(0)), true, ctx.grad(), false));
    });
  return out;
}

Tensor mv(const Tensor& a, const Tensor& v) {
  check(a.dim() == 2 && v.dim() == 1, "vector + matrix @ vector expected, got 1, ", a.dim(), ", ", v.dim(), " (shapes ",
        tuple_str(a.sizes()), " and ", tuple_str(v.sizes()), ")");
  check(a.sizes()[1] == v.sizes()[0], "size mismatch, got input (", a.sizes()[0], "), mat (", a.sizes()[0], "x",
        a.sizes()[1], "), vec (", v.sizes()[0], "): the matrix ", tuple_str(a.sizes()), " needs a vector of length ",
        a.sizes()[1]);
  check_dtypes(a, v, ProductKind::Vector);
  Tensor out = raw_matmul(a, false, v, false, "addmv_impl_cpu");
  if (needs_gradient(a, v))
    record("MvBackward0", out, {a, v}, {if_needed(a, v), if_needed(v, a)}, [](Backward& ctx) {
      const Tensor& g = ctx.grad();
      if (ctx.needs(0)) {
        Tensor v = conj_of(ctx.saved(1));
        ctx.set(0, times(unsqueeze(g, 1), false, unsqueeze(v, 0), false));
      }
      if (ctx.needs(1)) ctx.set(1, batched_times(conj_of(ctx.saved(0)), true, g, false));
    });
  return out;
}

static void check_vectors(const char* op, const Tensor& a, const Tensor& b) {
  check(a.dim() == 1 && b.dim() == 1, "1D tensors expected, but got ", a.dim(), "D and ", b.dim(), "D tensors (shapes ",
        tuple_str(a.sizes()), " and ", tuple_str(b.sizes()),
        "); for matrices use matmul (@), for a sum of products (a * b).sum()");
  check(a.dtype() == b.dtype(), op, " : expected both vectors to have same dtype, but found ",
        scalar_type_name(a.dtype()), " and ", scalar_type_name(b.dtype()));
  check(a.numel() == b.numel(), "inconsistent tensor size, expected tensor ", shape_str(a.sizes()), " and src ",
        shape_str(b.sizes()), " to have the same number of elements, but got ", a.numel(), " and ", b.numel(),
        " elements respectively");
}

Tensor dot(const Tensor& a, const Tensor& b) {
  check_vectors("dot", a, b);
  Tensor out = raw_matmul(a, false, b, false, "dot");
  if (needs_gradient(a, b))
    record("DotBackward0", out, {a, b}, {if_needed(a, b), if_needed(b, a)}, [](Backward& ctx) {
      if (ctx.needs(0)) ctx.set(0, call<pointwise::Mul>(ctx.grad(), conj_of(ctx.saved(1))));
      if (ctx.needs(1)) ctx.set(1, call<pointwise::Mul>(ctx.grad(), conj_of(ctx.saved(0))));
    });
  return out;
}

static Tensor vdot(const Tensor& a, const Tensor& b) {
  check_vectors("vdot", a, b);
  Tensor out = raw_matmul(is_complex_dtype(a.dtype()) ? call<pointwise::Conj>(detach(a)) : a, false, b, false, "vdot");
  if (needs_gradient(a, b))
    record("VdotBackward0", out, {a, b}, {if_needed(a, b), if_needed(b, a)}, [](Backward& ctx) {
      if (ctx.needs(0)) ctx.set(0, call<pointwise::Mul>(conj_of(ctx.grad()), ctx.saved(1)));
      if (ctx.needs(1)) ctx.set(1, call<pointwise::Mul>(ctx.grad(), ctx.saved(0)));
    });
  return out;
}

Tensor matmul(const Tensor& a, const Tensor& b) {
  int64_t da = a.dim(), db = b.dim();
  if (da == 2 && db == 2) return mm(a, b);
  check(da > 0 && db > 0, "both arguments to matmul need to be at least 1D, but they are ", da, "D and ", db,
        "D; to multiply by a number use *");
  if (da == 1 && db == 1) return dot(a, b);
  if (da == 2 && db == 1) return mv(a, b);
  Matrices x(a, false, true), y(b, false, false);
  if (x.cols != y.rows) {
    if (da >= 3 && db >= 3 && da == db && std::ranges::equal(x.lead, y.lead) && da == 3)
      fail(ErrorKind::Runtime, "Expected size for first two dimensions of batch2 tensor to be: [", a.size(0), ", ",
           x.cols, "] but got: [", b.size(0), ", ", y.rows, "]. matmul() of ", tuple_str(a.sizes()), " and ",
           tuple_str(b.sizes()), " needs the last dimension of the first (", x.cols,
           ") to equal the second last of the other (", y.rows, ")",
           y.cols == x.cols ? ". To multiply by its transpose: a @ b.mT" : "");
    int64_t m = db <= 2 ? a.numel() / std::max<int64_t>(x.cols, 1) : x.rows;
    bad_shapes("matmul", a, b, m, x.cols, y.rows, y.cols);
  }
  check_dtypes(a, b, da > 2 && db > 2 ? ProductKind::Batches : ProductKind::Matrices);
  Tensor out = raw_matmul(a, false, b, false, "bmm");
  if (needs_gradient(a, b)) {
    const char* name = da == 1 && db == 2  ? "SqueezeBackward4"
                       : da == 2 && db > 2 ? "CloneBackward0"
                                           : "UnsafeViewBackward0";
    record(name, out, {a, b}, {a, b}, kMatmulFormula);
  }
  return out;
}

// --- outer products ----------------------------------------------------------------------------------------------------

static Tensor outer(const Tensor& a, const Tensor& b) {
  check(a.dim() == 1, "outer: Expected 1-D argument self, but got ", a.dim(), "-D");
  check(b.dim() == 1, "outer: Expected 1-D argument vec2, but got ", b.dim(), "-D");
  return call<pointwise::Mul>(unsqueeze(a, 1), b);
}

static Tensor inner(const Tensor& a, const Tensor& b) {
  if (a.dim() == 0 || b.dim() == 0) return call<pointwise::Mul>(a, b);
  check(a.size(-1) == b.size(-1), "inner() the last dimension must match on both input tensors but got shapes ",
        shape_str(a.sizes()), " and ", shape_str(b.sizes()));
  if (a.dim() == 1 && b.dim() == 1) return dot(a, b);
  Dims shape(a.sizes().first(static_cast<size_t>(a.dim() - 1)));
  shape.append(b.sizes().begin(), b.sizes().end() - 1);
  Tensor x = a.dim() == 1 ? unsqueeze(a, 0) : as_matrix(a), y = b.dim() == 1 ? unsqueeze(b, 0) : as_matrix(b);
  return view(mm(x, mT(y)), shape);
}

static Tensor linalg_vecdot(const Tensor& x, const Tensor& y, int64_t dim) {
  check(x.dtype() == y.dtype(), "linalg.vecdot: Expected x and y to have the same dtype, but found x of type ",
        scalar_type_name(x.dtype()), " and y of type ", scalar_type_name(y.dtype()), " instead");
  if (x.dim() == 1 && y.dim() == 1 && x.numel() == y.numel()) return vdot(x, y);
  return sum(call<pointwise::Mul>(conj_of(x), y), Dims{dim}, false);
}

// By squaring. Negative powers need an inverse, which linalg gives.
static Tensor matrix_power(const Tensor& a, int64_t n) {
  check(a.dim() >= 2, "linalg.matrix_power: The input tensor A must have at least 2 dimensions.");
  check(a.size(-1) == a.size(-2), "linalg.matrix_power: A must be batches of square matrices, but they are ",
        a.size(-2), " by ", a.size(-1), " matrices");
  check(n >= 0, "linalg.matrix_power: a negative power is a power of the inverse: use torch.linalg.inv(A) first");
  if (n == 0) {
    Tensor out = zeros(a.sizes(), a.dtype());
    Dims sizes(a.sizes()), strides(out.strides());
    sizes.pop_back();
    int64_t diagonal = strides.back();
    strides.pop_back();
    strides.back() += diagonal;
    if (out.numel() > 0) fill_data(out.alias(sizes, strides, out->offset()), Scalar(1));
    return out;
  }
  if (n == 1) return clone(a);
  Tensor result, square = a;
  for (; n > 0; n >>= 1) {
    if (n & 1) result = result.defined() ? matmul(result, square) : square;
    if (n > 1) square = matmul(square, square);
  }
  return result;
}

static const Family family([](Registry& r) {
  constexpr Traits kFunction{.method = false};
  r.op<&mm>("mm(Tensor self, Tensor mat2) -> Tensor",
            "The product of two matrices, (n, k) and (k, m). Sizes that do not fit, other dimensions and\n"
            "different dtypes are a RuntimeError.\n\n"
            ">>> torch.mm(torch.ones(2, 3), torch.ones(3, 1))\ntensor([[3.],\n        [3.]])\n");
  r.op<&bmm>("bmm(Tensor self, Tensor mat2) -> Tensor",
             "The products of two batches of matrices, (b, n, k) and (b, k, m). Sizes that do not fit, other\n"
             "dimensions and different dtypes are a RuntimeError.\n\n"
             ">>> torch.bmm(torch.ones(2, 1, 3), torch.ones(2, 3, 1)).shape\ntorch.Size([2, 1, 1])\n");
  r.op<&mv>("mv(Tensor self, Tensor vec) -> Tensor",
            "The product of a matrix (n, m) and a vector (m,). Sizes that do not fit and different dtypes are a\n"
            "RuntimeError.\n\n"
            ">>> torch.mv(torch.ones(2, 3), torch.ones(3))\ntensor([3., 3.])\n");
  r.op<&dot>("dot(Tensor self, Tensor tensor) -> Tensor",
             "The sum of products of two vectors of one size and dtype; anything else is a RuntimeError. Complex\n"
             "numbers are not conjugated (see vdot()).\n\n"
             ">>> torch.dot(torch.tensor([2, 3]), torch.tensor([2, 1]))\ntensor(7)\n");
  r.op<&vdot>("vdot(Tensor self, Tensor other) -> Tensor",
              "The sum of conj(self) * other of two vectors of one size and dtype: another is a RuntimeError.\n\n"
              ">>> torch.vdot(torch.tensor([1j, 2]), torch.tensor([1j, 1]))\ntensor(3.+0.j)\n");
  r.op<&matmul>("matmul(Tensor self, Tensor other) -> Tensor",
                "The product of matrices (..., n, k) and (..., k, m), batches broadcast; a vector counts as a row on\n"
                "the left, as a column on the right, and its axis is dropped again. Also a @ b. Sizes that do not fit\n"
                "and different dtypes are a RuntimeError.\n\n"
                ">>> torch.matmul(torch.ones(4, 2, 3), torch.ones(3)).shape\ntorch.Size([4, 2])\n");
  r.op<&matmul>("linalg_matmul(Tensor self, Tensor other) -> Tensor",
                "matmul() by its name in linalg.\n\n"
                ">>> torch.linalg.matmul(torch.tensor([[1., 2.]]), torch.tensor([3., 4.]))\ntensor([11.])\n",
                kFunction);
  r.op<&outer>("outer(Tensor self, Tensor vec2) -> Tensor",
               "The matrix self[i] * vec2[j] of two vectors. Different dtypes are promoted; other dimensions are a\n"
               "RuntimeError.\n\n"
               ">>> torch.outer(torch.tensor([1, 2]), torch.tensor([3, 4]))\ntensor([[3, 4],\n        [6, 8]])\n");
  r.op<&outer>("ger(Tensor self, Tensor vec2) -> Tensor",
               "outer() by BLAS's name: self[i] * vec2[j].\n\n"
               ">>> torch.ger(torch.tensor([1, 2]), torch.tensor([3, 4]))\ntensor([[3, 4],\n        [6, 8]])\n");
  r.op<&inner>("inner(Tensor self, Tensor other) -> Tensor",
               "The sums of products over the last axis of both: (..., n) with (***, n) gives (..., ***). Different\n"
               "last sizes are a RuntimeError.\n\n"
               ">>> torch.inner(torch.tensor([[1, 2], [3, 4]]), torch.tensor([1, 10]))\ntensor([21, 43])\n");
  r.op<&linalg_vecdot>(
      "linalg_vecdot(Tensor x, Tensor y, *, int dim=-1) -> Tensor",
      "The sum of conj(x) * y along dim; the shapes are broadcast, the dtypes the same.\n\n"
      ">>> torch.linalg.vecdot(torch.tensor([[1., 2.], [3., 4.]]), torch.tensor([1., 1.]))\ntensor([3., 7.])\n",
      kFunction);
  r.op<&matrix_power>(
      "matrix_power(Tensor self, int n) -> Tensor",
      "Square matrices (..., m, m) multiplied n times by themselves, in about log2(n) products; n = 0 is\n"
      "the identity; a negative n is left to linalg.matrix_power(), which inverts first (a RuntimeError\n"
      "here). Matrices that are not square are a RuntimeError.\n\n"
      ">>> torch.matrix_power(torch.tensor([[1, 1], [1, 0]]), 10)\ntensor([[89, 55],\n        [55, 34]])\n");
  r.op<&matrix_power>(
      "linalg_matrix_power(Tensor self, int n) -> Tensor",
      "matrix_power() by its name in linalg.\n\n"
      ">>> torch.linalg.matrix_power(torch.tensor([[2., 0.], [0., 4.]]), -1)\ntensor([[0.5000, 0.0000],\n"
      "        [0.0000, 0.2500]])\n",
      kFunction);
});

}  // namespace rl
