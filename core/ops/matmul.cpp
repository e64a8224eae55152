// Products of vectors, matrices and batches of matrices. Transposes are strides: nothing is copied to be multiplied.
#include "ops/matmul.h"

#include <algorithm>
#include <array>

#include "kernels/gemm.h"
#include "kernels/pointwise/arithmetic.h"
#include "kernels/pointwise/complex.h"
#include "kernels/reduce.h"
#include "ops/pointwise.h"

namespace rl {
namespace {

const Tensor kNone;

// A matrix product as the kernels take it, of a dtype known at run time.
struct Problem {
  DType dtype;
  int64_t m, n, k;
  const void* a;
  int64_t a_row, a_col;
  const void* b;
  int64_t b_row, b_col;
  void* c;
  int64_t c_row;  // c's columns are adjacent
  Scalar alpha = 1, beta = 0;
  const void* bias = nullptr;
  int64_t batch = 1, a_batch = 0, b_batch = 0, c_batch = 0;
  const int64_t *a_offsets = nullptr, *b_offsets = nullptr, *c_offsets = nullptr;
};

template <class T>
void solve_as(const Problem& p) {
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

void solve(const Problem& p, const char* kernel) {
  switch (p.dtype) {
    case DType::F32: return solve_as<float>(p);
    case DType::F64: return solve_as<double>(p);
    case DType::F16: return solve_as<Half>(p);
    case DType::BF16: return solve_as<BFloat16>(p);
    case DType::C64: return solve_as<Complex64>(p);
    case DType::C128: return solve_as<Complex128>(p);
    case DType::U8: return solve_as<uint8_t>(p);
    case DType::I8: return solve_as<int8_t>(p);
    case DType::I16: return solve_as<int16_t>(p);
    case DType::I32: return solve_as<int32_t>(p);
    case DType::I64: return solve_as<int64_t>(p);
    default: fail(ErrorKind::NotImplemented, "\"", kernel, "\" not implemented for '", scalar_type_name(p.dtype), "'");
  }
}

// The C++ names that PyTorch's messages use.
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

std::string tuple_str(IntSpan s) {
  std::string out = "(";
  for (size_t i = 0; i < s.size(); ++i) out += (i ? ", " : "") + std::to_string(s[i]);
  return out + (s.size() == 1 ? ",)" : ")");
}

[[noreturn, gnu::cold, gnu::noinline]] void bad_shapes(const char* op, const Tensor& a, const Tensor& b, int64_t m,
                                                       int64_t k, int64_t k2, int64_t n) {
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

[[noreturn, gnu::cold, gnu::noinline]] void bad_dtypes(const Tensor& a, const Tensor& b) {
  DType wide = promote(a.dtype(), b.dtype());
  bool first = a.dtype() != wide;
  fail(ErrorKind::Runtime, "expected m1 and m2 to have the same dtype, but got: ", cpp_name(a.dtype()),
       " != ", cpp_name(b.dtype()), " (shapes ", tuple_str(a.sizes()), " and ", tuple_str(b.sizes()),
       "; convert one of them: the ", first ? "first" : "second", ".to(torch.", dtype_name(wide), "))");
}
void check_dtypes(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype()) [[unlikely]]
    bad_dtypes(a, b);
}

Tensor conj_of(const Tensor& t) { return is_complex_dtype(t.dtype()) ? call<pointwise::Conj>(t) : t; }
// g times the conjugate of a number.
Tensor scaled(const Tensor& g, const Scalar& by) {
  if (by.to_complex() == std::complex<double>(1)) return g;
  Scalar factor = by.is_complex() ? Scalar(std::conj(by.to_complex())) : by;
  return call<pointwise::Mul>(g, Tensor::wrapped(factor));
}

// The differentiable product where gradients of gradients are recorded, the plain one elsewhere.
Tensor times(const Tensor& a, bool ta, const Tensor& b, bool tb) {
  if (!grad_mode.enabled) return raw_mm(a, ta, b, tb);
  return mm(ta ? mT(a) : a, tb ? mT(b) : b);
}

// --- batches ---------------------------------------------------------------------------------------------------------

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
  Problem p{a.dtype(),    x.rows,  y.cols,       x.cols,       a.raw(),   x.row_stride,
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
  solve(p, kernel);
  return out;
}

Tensor batched_times(const Tensor& a, bool ta, const Tensor& b, bool tb) {
  if (!grad_mode.enabled) return raw_matmul(a, ta, b, tb, "bmm");
  return matmul(ta ? mT(a) : a, tb ? mT(b) : b);
}

// All leading axes as one: a matrix with as many rows as there are lines.
Tensor as_matrix(const Tensor& t) {
  if (t.dim() == 2) return t;
  int64_t cols = t.size(-1);
  return reshape(t, Dims{cols ? t.numel() / cols : product(t.sizes().first(static_cast<size_t>(t.dim() - 1))), cols});
}

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

// What an operand's gradient needs is the other operand.
const Tensor& if_needed(const Tensor& keep, const Tensor& for_gradient_of) {
  return for_gradient_of.requires_grad() ? keep : kNone;
}

}  // namespace

Tensor raw_mm(const Tensor& a, bool ta, const Tensor& b, bool tb) {
  check_dtypes(a, b);
  IntSpan as = a.sizes(), bs = b.sizes(), at = a.strides(), bt = b.strides();
  int64_t m = as[ta], k = as[!ta], n = bs[!tb];
  int64_t shape[2] = {m, n};
  Tensor out = Tensor::empty({shape, 2}, a.dtype());
  if (m != 0 && n != 0)
    solve({a.dtype(), m, n, k, a.raw(), at[ta], at[!ta], b.raw(), bt[tb], bt[!tb], out.raw(), n}, "addmm_impl_cpu_");
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
  check(a.dtype() == b.dtype(), "expected scalar type ", scalar_type_name(a.dtype()), " but found ",
        scalar_type_name(b.dtype()));
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
  if (a.dtype() != v.dtype()) bad_dtypes(a, v);
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
  check_dtypes(a, b);
  Tensor out = raw_matmul(a, false, b, false, "bmm");
  if (needs_gradient(a, b)) {
    const char* name = da == 1 && db == 2  ? "SqueezeBackward4"
                       : da == 2 && db > 2 ? "CloneBackward0"
                                           : "UnsafeViewBackward0";
    record(name, out, {a, b}, {a, b}, kMatmulFormula);
  }
  return out;
}

// --- sums with a product ---------------------------------------------------------------------------------------------

static void check_expands(const Tensor& self, IntSpan to) {
  if (can_broadcast(self.sizes(), to)) return;
  expand(detach(self), to);  // says what does not fit
}

// beta * self + alpha * (a @ b): into a copy of self, or with a row as the kernel's bias.
static Tensor raw_addmm(const Tensor& self, const Tensor& a, const Tensor& b, bool tb, const Scalar& beta,
                        const Scalar& alpha) {
  IntSpan as = a.sizes(), bs = b.sizes(), at = a.strides(), bt = b.strides();
  int64_t shape[2] = {as[0], bs[!tb]};
  Tensor out = Tensor::empty({shape, 2}, a.dtype());
  if (shape[0] == 0 || shape[1] == 0) return out;
  Problem p{a.dtype(), shape[0], shape[1], as[1], a.raw(), at[0], at[1], b.raw(), bt[tb], bt[!tb], out.raw(), shape[1]};
  p.alpha = alpha;
  bool zero = beta.to_complex() == std::complex<double>(0), one = beta.to_complex() == std::complex<double>(1);
  if (!zero) {
    if (one && self.dim() == 1 && self.sizes()[0] == shape[1] && (self.strides()[0] == 1 || shape[1] == 1)) {
      p.bias = self.raw();
    } else {
      copy_data(out, self);
      p.beta = beta;
    }
  }
  solve(p, "addmm_impl_cpu_");
  return out;
}

// Scalars that integers cannot hold are refused where PyTorch refuses them; here it is only complex ones.
static void check_factors(const char* op, DType dtype, const Scalar& beta, const Scalar& alpha) {
  check(is_complex_dtype(dtype) || (!beta.is_complex() && !alpha.is_complex()), op,
        ": beta and alpha must be real for ", dtype_name(dtype), " tensors");
}

Tensor addmm(const Tensor& self, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha) {
  check(a.dim() == 2, "mat1 must be a matrix, got ", a.dim(), "-D tensor");
  check(b.dim() == 2, "mat2 must be a matrix, got ", b.dim(), "-D tensor");
  if (a.sizes()[1] != b.sizes()[0]) bad_shapes("addmm", a, b, a.sizes()[0], a.sizes()[1], b.sizes()[0], b.sizes()[1]);
  check_dtypes(a, b);
  check(self.dtype() == a.dtype(), "self and mat2 must have the same dtype, but got ", scalar_type_name(self.dtype()),
        " and ", scalar_type_name(b.dtype()));
  check_expands(self, Dims{a.sizes()[0], b.sizes()[1]});
  check_factors("addmm", a.dtype(), beta, alpha);
  Tensor out = raw_addmm(self, a, b, false, beta, alpha);
  if (needs_gradient(self, a, b))
    record("AddmmBackward0", out, {self, a, b}, {if_needed(a, b), if_needed(b, a)},
           [shape = Dims(self.sizes()), alpha, beta](Backward& ctx) {
             const Tensor& g = ctx.grad();
             if (ctx.needs(0)) ctx.set(0, scaled(sum_to(g, shape), beta));
             if (ctx.needs(1)) ctx.set(1, scaled(times(g, false, conj_of(ctx.saved(1)), true), alpha));
             if (ctx.needs(2)) ctx.set(2, scaled(times(conj_of(ctx.saved(0)), true, g, false), alpha));
           });
  return out;
}

static Tensor addmv(const Tensor& self, const Tensor& a, const Tensor& v, const Scalar& beta, const Scalar& alpha) {
  check(a.dim() == 2 && v.dim() == 1 && self.dim() <= 1, "vector + matrix @ vector expected, got ", self.dim(), ", ",
        a.dim(), ", ", v.dim(), " (shapes ", tuple_str(self.sizes()), ", ", tuple_str(a.sizes()), ", ",
        tuple_str(v.sizes()), ")");
  check(a.sizes()[1] == v.sizes()[0] && can_broadcast(self.sizes(), a.sizes().first(1)), "size mismatch, got input (",
        self.numel(), "), mat (", a.sizes()[0], "x", a.sizes()[1], "), vec (", v.sizes()[0], ")");
  check(self.dtype() == a.dtype() && a.dtype() == v.dtype(), "addmv input tensors must have the same dtype, but got ",
        scalar_type_name(self.dtype()), ", ", scalar_type_name(a.dtype()), ", and ", scalar_type_name(v.dtype()));
  check_factors("addmv", a.dtype(), beta, alpha);
  Tensor out = Tensor::empty(a.sizes().first(1), a.dtype());
  if (out.numel() > 0) {
    Problem p{a.dtype(), a.sizes()[0],   1, a.sizes()[1], a.raw(), a.strides()[0], a.strides()[1],
              v.raw(),   v.strides()[0], 1, out.raw(),    1};
    p.alpha = alpha;
    if (beta.to_complex() != std::complex<double>(0)) {
      copy_data(out, self);
      p.beta = beta;
    }
    solve(p, "addmv_impl_cpu");
  }
  if (needs_gradient(self, a, v))
    record("AddmvBackward0", out, {self, a, v}, {if_needed(a, v), if_needed(v, a)},
           [shape = Dims(self.sizes()), alpha, beta](Backward& ctx) {
             const Tensor& g = ctx.grad();
             if (ctx.needs(0)) ctx.set(0, scaled(sum_to(g, shape), beta));
             if (ctx.needs(1))
               ctx.set(1, scaled(times(unsqueeze(g, 1), false, unsqueeze(conj_of(ctx.saved(1)), 0), false), alpha));
             if (ctx.needs(2)) ctx.set(2, scaled(batched_times(conj_of(ctx.saved(0)), true, g, false), alpha));
           });
  return out;
}

Tensor baddbmm(const Tensor& self, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha) {
  check(a.dim() == 3, "batch1 must be a 3D tensor, got shape ", tuple_str(a.sizes()));
  check(b.dim() == 3, "batch2 must be a 3D tensor, got shape ", tuple_str(b.sizes()));
  check(a.size(0) == b.size(0) && a.size(2) == b.size(1),
        "Expected size for first two dimensions of batch2 tensor to be: [", a.size(0), ", ", a.size(2), "] but got: [",
        b.size(0), ", ", b.size(1), "].");
  check(self.dtype() == a.dtype() && a.dtype() == b.dtype(), "Input dtypes must be the same, got: input ",
        cpp_name(self.dtype()), ", batch1: ", cpp_name(a.dtype()), ", batch2: ", cpp_name(b.dtype()));
  check_factors("baddbmm", a.dtype(), beta, alpha);
  Dims shape{a.size(0), a.size(1), b.size(2)};
  check_expands(self, shape);
  Tensor out = Tensor::empty(shape, a.dtype());
  if (out.numel() > 0) {
    IntSpan at = a.strides(), bt = b.strides();
    Problem p{a.dtype(), shape[1], shape[2], a.size(2), a.raw(),   at[1],
              at[2],     b.raw(),  bt[1],    bt[2],     out.raw(), shape[2]};
    p.alpha = alpha;
    p.batch = shape[0], p.a_batch = at[0], p.b_batch = bt[0], p.c_batch = shape[1] * shape[2];
    if (beta.to_complex() != std::complex<double>(0)) {
      copy_data(out, self);
      p.beta = beta;
    }
    solve(p, "baddbmm");
  }
  if (needs_gradient(self, a, b))
    record("BaddbmmBackward0", out, {self, a, b}, {if_needed(a, b), if_needed(b, a)},
           [shape = Dims(self.sizes()), alpha, beta](Backward& ctx) {
             const Tensor& g = ctx.grad();
             if (ctx.needs(0)) ctx.set(0, scaled(sum_to(g, shape), beta));
             if (ctx.needs(1)) ctx.set(1, scaled(batched_times(g, false, conj_of(ctx.saved(1)), true), alpha));
             if (ctx.needs(2)) ctx.set(2, scaled(batched_times(conj_of(ctx.saved(0)), true, g, false), alpha));
           });
  return out;
}

static Tensor addbmm(const Tensor& self, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha) {
  check(a.dim() == 3, "batch1 must be a 3D tensor, got shape ", tuple_str(a.sizes()));
  check(b.dim() == 3, "batch2 must be a 3D tensor, got shape ", tuple_str(b.sizes()));
  check(a.size(0) == b.size(0), "batch1 and batch2 must have same number of batches, got ", a.size(0), " and ",
        b.size(0));
  check(a.size(2) == b.size(1), "Incompatible matrix sizes for bmm (", a.size(1), "x", a.size(2), " and ", b.size(1),
        "x", b.size(2), ")");
  check_dtypes(a, b);
  check(self.dtype() == a.dtype(), "self and mat2 must have the same dtype, but got ", scalar_type_name(self.dtype()),
        " and ", scalar_type_name(b.dtype()));
  check_factors("addbmm", a.dtype(), beta, alpha);
  Dims shape{a.size(1), b.size(2)};
  check_expands(self, shape);
  Tensor out = Tensor::empty(shape, a.dtype());
  if (out.numel() > 0) {
    IntSpan at = a.strides(), bt = b.strides();
    bool add = beta.to_complex() != std::complex<double>(0);
    if (add) copy_data(out, self);
    Problem p{a.dtype(), shape[0], shape[1], a.size(2), a.raw(),   at[1],
              at[2],     b.raw(),  bt[1],    bt[2],     out.raw(), shape[1]};
    p.alpha = alpha;
    p.beta = add ? beta : Scalar(0);
    int64_t item = item_size(a.dtype());
    for (int64_t i = 0; i < std::max<int64_t>(a.size(0), 1); ++i) {
      if (a.size(0) == 0) p.k = 0;
      solve(p, "addmm_impl_cpu_");
      p.a = static_cast<const char*>(p.a) + at[0] * item;
      p.b = static_cast<const char*>(p.b) + bt[0] * item;
      p.beta = Scalar(1);
    }
  }
  if (needs_gradient(self, a, b))
    record("AddbmmBackward0", out, {self, a, b}, {if_needed(a, b), if_needed(b, a)},
           [shape = Dims(self.sizes()), alpha, beta, n = a.size(0)](Backward& ctx) {
             Tensor g = ctx.grad();
             if (ctx.needs(0)) ctx.set(0, scaled(sum_to(g, shape), beta));
             Tensor each = expand(unsqueeze(g, 0), Dims{n, g.size(0), g.size(1)});
             if (ctx.needs(1)) ctx.set(1, scaled(batched_times(each, false, conj_of(ctx.saved(1)), true), alpha));
             if (ctx.needs(2)) ctx.set(2, scaled(batched_times(conj_of(ctx.saved(0)), true, each, false), alpha));
           });
  return out;
}

// --- outer products ----------------------------------------------------------------------------------------------------

static Tensor outer(const Tensor& a, const Tensor& b) {
  check(a.dim() == 1, "outer: Expected 1-D argument self, but got ", a.dim(), "-D");
  check(b.dim() == 1, "outer: Expected 1-D argument vec2, but got ", b.dim(), "-D");
  return call<pointwise::Mul>(unsqueeze(a, 1), b);
}

static Tensor addr(const Tensor& self, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha) {
  check(a.dim() == 1, "addr: Expected 1-D argument vec1, but got ", a.dim(), "-D");
  check(b.dim() == 1, "addr: Expected 1-D argument vec2, but got ", b.dim(), "-D");
  check_expands(self, Dims{a.numel(), b.numel()});
  const Tensor all[] = {self, a, b};
  DType dtype = result_type(all, {});
  check(!(is_integral(dtype) && (beta.is_float() || alpha.is_float())), "For integral input tensors, argument ",
        beta.is_float() ? "beta" : "alpha", " must not be a floating point number.");
  Tensor out;
  {
    GradModeGuard off(false);
    Tensor product = call<pointwise::Mul>(unsqueeze(a, 1), b);
    if (dtype == DType::Bool) {
      out = beta.to_bool() ? call<pointwise::Add>(self, product, 1) : product;
    } else {
      if (alpha.to_complex() != std::complex<double>(1))
        product = call<pointwise::Mul>(product, Tensor::wrapped(alpha));
      if (beta.to_complex() == std::complex<double>(0))
        out = product;
      else
        out = call<pointwise::Add>(product, self, beta);
    }
    out = to_dtype(out, dtype);
  }
  if (needs_gradient(self, a, b))
    record("AddrBackward0", out, {self, a, b}, {if_needed(a, b), if_needed(b, a)},
           [shape = Dims(self.sizes()), alpha, beta,
            types = std::array{self.dtype(), a.dtype(), b.dtype()}](Backward& ctx) {
             const Tensor& g = ctx.grad();
             if (ctx.needs(0)) ctx.set(0, to_dtype(scaled(sum_to(g, shape), beta), types[0]));
             if (ctx.needs(1))
               ctx.set(1, to_dtype(scaled(mv(g, to_dtype(conj_of(ctx.saved(1)), g.dtype())), alpha), types[1]));
             if (ctx.needs(2))
               ctx.set(2, to_dtype(scaled(mv(mT(g), to_dtype(conj_of(ctx.saved(0)), g.dtype())), alpha), types[2]));
           });
  return out;
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

// --- linear ----------------------------------------------------------------------------------------------------------------

namespace {

// The rows of x over all its leading axes; false if they do not lie at one stride.
bool row_stride_of(const Tensor& x, int64_t& stride) {
  int64_t d = x.dim();
  IntSpan s = x.sizes(), st = x.strides();
  stride = d == 1 ? s[0] * st[0] : st[d - 2];
  int64_t reach = 0;
  for (int64_t i = d - 2; i >= 0; --i) {
    if (s[i] == 1) continue;
    if (reach == 0) {
      stride = st[i];
      reach = s[i];
    } else if (st[i] == stride * reach) {
      reach *= s[i];
    } else {
      return false;
    }
  }
  return true;
}

// Edges: [bias,] input, weight; saved: input, weight. One node for the product, the bias and the change of shape.
template <int First>
void linear_backward(Backward& ctx) {
  const bool graph = Backward::create_graph();
  Tensor g = ctx.grad();
  if (g.dim() != 2) g = g.dim() == 1 ? unsqueeze(g, 0) : as_matrix(g);
  if constexpr (First == 1) {
    if (ctx.needs(0)) ctx.set(0, graph ? sum(g, Dims{0}, false) : raw_column_sum(g));
  }
  if (ctx.needs(First)) {
    Tensor w = conj_of(ctx.saved(1));
    Tensor r = times(g, false, w, false);
    const Tensor& like = ctx.grad();
    if (like.dim() != 2) {
      Dims shape(like.sizes());
      shape.back() = w.sizes()[1];
      r = graph ? view(r, shape) : r.alias(shape, contiguous_strides(shape), r->offset());
    }
    ctx.set(First, std::move(r));
  }
  if (ctx.needs(First + 1)) {
    Tensor x = conj_of(ctx.saved(0));
    if (x.dim() != 2) x = x.dim() == 1 ? unsqueeze(x, 0) : as_matrix(x);
    ctx.set(First + 1, times(g, true, x, false));
  }
}

[[noreturn, gnu::cold, gnu::noinline]] void bad_linear(const Tensor& x, const Tensor& w) {
  int64_t k = x.size(-1);
  fail(ErrorKind::Runtime, "linear(): expected last dim ", w.sizes()[1], " (in_features), got input ",
       tuple_str(x.sizes()), "; mat1 and mat2 shapes cannot be multiplied (", k ? x.numel() / k : 0, "x", k, " and ",
       w.sizes()[1], "x", w.sizes()[0], ")");
}

}  // namespace

Tensor linear(const Tensor& input, const Tensor& w, const Tensor& bias) {
  if (w.dim() != 2) [[unlikely]] {
    check(w.dim() == 1 && input.dim() > 0, "linear(): the weight must be (out_features, in_features), got ",
          tuple_str(w.sizes()), " for input ", tuple_str(input.sizes()));
    Tensor out = matmul(input, w);
    return bias.defined() ? call<pointwise::Add>(out, bias, 1) : out;
  }
  check(input.dim() > 0, "linear(): both arguments to linear need to be at least 1D, but the input is a 0-d tensor");
  int64_t d = input.dim(), in = w.sizes()[1], n = w.sizes()[0];
  if (input.sizes()[d - 1] != in) bad_linear(input, w);
  if (input.dtype() != w.dtype()) bad_dtypes(input, w);
  if (bias.defined()) {
    check(bias.dtype() == w.dtype(), "self and mat2 must have the same dtype, but got ", scalar_type_name(bias.dtype()),
          " and ", scalar_type_name(w.dtype()));
    if (bias.dim() != 1 || bias.sizes()[0] != n) {
      if (bias.dim() > 1) return call<pointwise::Add>(linear(input, w, kNone), bias, 1);
      check(bias.numel() == 1, "The expanded size of the tensor (", n, ") must match the existing size (", bias.numel(),
            ") at non-singleton dimension 1.  Target sizes: [", input.numel() / std::max<int64_t>(in, 1), ", ", n,
            "].  Tensor sizes: ", shape_str(bias.sizes()), ". linear(): the bias must have out_features elements");
      return linear(input, w, expand(bias, Dims{n}));
    }
  }
  int64_t row_stride;
  bool rows = row_stride_of(input, row_stride);
  const Tensor& x = rows ? input : contiguous(input);
  if (!rows) row_stride = in;
  Tensor out;
  int64_t m = 1;
  if (d == 2) {
    int64_t shape[2] = {m = x.sizes()[0], n};
    out = Tensor::empty({shape, 2}, x.dtype());
  } else {
    Dims shape(x.sizes());
    shape.back() = n;
    out = Tensor::empty(shape, x.dtype());
    for (int64_t i = 0; i + 1 < d; ++i) m *= x.sizes()[i];
  }
  if (m != 0 && n != 0) {
    Problem p{x.dtype(),      m,         n, in, x.raw(), row_stride, x.strides()[d - 1], w.raw(), w.strides()[1],
              w.strides()[0], out.raw(), n};
    if (bias.defined()) {
      if (bias.strides()[0] == 1 || n == 1) {
        p.bias = bias.raw();
      } else {
        copy_data(out, bias);
        p.beta = 1;
      }
    }
    solve(p, "addmm_impl_cpu_");
  }
  if (!grad_mode.enabled) return out;
  if (bias.defined()) {
    if (x.requires_grad() || w.requires_grad() || bias.requires_grad())
      record(d == 2 ? "AddmmBackward0" : "ViewBackward0", out, {bias, x, w}, {if_needed(x, w), if_needed(w, x)},
             [](Backward& ctx) { linear_backward<1>(ctx); });
  } else if (x.requires_grad() || w.requires_grad()) {
    record(d == 2   ? "MmBackward0"
           : d == 1 ? "SqueezeBackward4"
                    : "UnsafeViewBackward0",
           out, {x, w}, {if_needed(x, w), if_needed(w, x)}, [](Backward& ctx) { linear_backward<0>(ctx); });
  }
  return out;
}

// out[.., o] = x[.., i] W[o, i, j] y[.., j]
static Tensor bilinear(const Tensor& x, const Tensor& y, const Tensor& w, const Tensor& bias) {
  check(w.dim() == 3, "bilinear(): the weight must be (out_features, in1_features, in2_features), got ",
        tuple_str(w.sizes()));
  check(x.dim() == y.dim(), "bilinear(): input dimensions do not match: got ", x.dim(), " and ", y.dim());
  for (int64_t i = 0; i + 1 < x.dim(); ++i)
    check(x.sizes()[i] == y.sizes()[i], "bilinear(): input batch dimensions do not match at dim ", i, ": got ",
          x.sizes()[i], " and ", y.sizes()[i]);
  check(x.size(-1) == w.size(1), "bilinear(): input1 size does not match weight size: got ", x.size(-1),
        " but expected ", w.size(1));
  check(y.size(-1) == w.size(2), "bilinear(): input2 size does not match weight size: got ", y.size(-1),
        " but expected ", w.size(2));
  check(!bias.defined() || (bias.dim() == 1 && bias.size(0) == w.size(0)),
        "bilinear(): bias size does not match weight size: got ", bias.defined() ? bias.numel() : 0, " but expected ",
        w.size(0));
  Dims shape(x.sizes());
  shape.back() = w.size(0);
  Tensor rows = as_matrix(x), cols = as_matrix(y);
  int64_t n = rows.size(0), out_features = w.size(0), in1 = w.size(1), in2 = w.size(2);
  Tensor half = mm(rows, reshape(permute(w, Dims{1, 0, 2}), Dims{in1, out_features * in2}));  // [n, o * j]
  Tensor out = bmm(reshape(half, Dims{n, out_features, in2}), unsqueeze(cols, 2));
  out = reshape(out, shape);
  return bias.defined() ? call<pointwise::Add>(out, bias, 1) : out;
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
  constexpr Traits kInPlace{.in_place = true};
  constexpr Traits kFunction{.method = false};
  r.op<&mm>(
      "mm(Tensor self, Tensor mat2) -> Tensor",
      "The product of two matrices, (n, k) by (k, m).\n\n>>> torch.mm(torch.ones(2, 3), torch.ones(3, 1))\ntensor([[3.],\n        [3.]])\n");
  r.op<&bmm>(
      "bmm(Tensor self, Tensor mat2) -> Tensor",
      "The products of two batches of matrices, (b, n, k) by (b, k, m).\n\n>>> torch.bmm(torch.ones(2, 1, 3), torch.ones(2, 3, 1)).shape\ntorch.Size([2, 1, 1])\n");
  r.op<&mv>("mv(Tensor self, Tensor vec) -> Tensor",
            "A matrix times a vector.\n\n>>> torch.mv(torch.ones(2, 3), torch.ones(3))\ntensor([3., 3.])\n");
  r.op<&dot>(
      "dot(Tensor self, Tensor tensor) -> Tensor",
      "The sum of the products of two vectors.\n\n>>> torch.dot(torch.tensor([2, 3]), torch.tensor([2, 1]))\ntensor(7)\n");
  r.op<&vdot>("vdot(Tensor self, Tensor other) -> Tensor", "dot, with the first vector conjugated.");
  r.op<&matmul>(
      "matmul(Tensor self, Tensor other) -> Tensor",
      "self @ other: dot, matrix-vector, matrix or batched matrix product by the operands' numbers of axes; leading axes are broadcast.\n\n"
      ">>> torch.matmul(torch.ones(4, 2, 3), torch.ones(3)).shape\ntorch.Size([4, 2])\n");
  r.op<&matmul>("linalg_matmul(Tensor self, Tensor other) -> Tensor", "matmul.", kFunction);
  r.op<&addmm>("addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
               "beta * self + alpha * (mat1 @ mat2); with beta 0, self is not read.", kInPlace);
  r.op<&addmv>("addmv(Tensor self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
               "beta * self + alpha * (mat @ vec).", kInPlace);
  r.op<&addr>("addr(Tensor self, Tensor vec1, Tensor vec2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
              "beta * self + alpha * outer(vec1, vec2).", kInPlace);
  r.op<&addbmm>("addbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
                "beta * self + alpha * the sum of the products of two batches of matrices.", kInPlace);
  r.op<&baddbmm>("baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
                 "beta * self + alpha * bmm(batch1, batch2).", kInPlace);
  r.op<&outer>("outer(Tensor self, Tensor vec2) -> Tensor",
               "The products of every element of one vector with every element of another.");
  r.op<&outer>("ger(Tensor self, Tensor vec2) -> Tensor", "outer.");
  r.op<&inner>("inner(Tensor self, Tensor other) -> Tensor", "The sums of products over the last axis of both.");
  r.op<&linear>("linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor",
                "input @ weight.T + bias: weight is (out_features, in_features).", kFunction);
  r.op<&bilinear>(
      "bilinear(Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None) -> Tensor",
      "input1 @ weight[o] @ input2 for every output o, plus bias: weight is (out_features, in1_features, in2_features).",
      kFunction);
  r.op<&linalg_vecdot>("linalg_vecdot(Tensor x, Tensor y, *, int dim=-1) -> Tensor",
                       "The sum of conj(x) * y along dim.", kFunction);
  r.op<&matrix_power>("matrix_power(Tensor self, int n) -> Tensor",
                      "A square matrix (or a batch of them) multiplied n times by itself.");
  r.op<&matrix_power>("linalg_matrix_power(Tensor self, int n) -> Tensor",
                      "A square matrix (or a batch of them) multiplied n times by itself.", kFunction);
});

}  // namespace rl
