// Running sums, products and extrema.
#include "kernels/scan.h"

#include <complex>
#include <limits>

#include "ops/creation.h"
#include "ops/formula.h"
#include "ops/index_util.h"
#include "ops/reduce.h"
#include "runtime/parallel.h"

namespace rl {
namespace {

using namespace formula;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

DType scan_dtype(DType in) { return is_integral(in) ? DType::I64 : in; }

// Runs kernel(in, x, outer, n, inner, out) along dim.
template <class Kernel>
Tensor scan_with(const Tensor& t, int64_t dim, DType out_dtype, Kernel kernel) {
  Tensor x = plain(t), out = Tensor::empty(x.sizes(), out_dtype);
  AxisRows rows(x, dim);
  if (x.numel() > 0) kernel(x.dtype(), x.raw(), rows.outer, rows.n, rows.inner, out.raw());
  return out;
}

// dtype= is applied before the scan; integers run as int64 and are narrowed at the end.
Tensor scan_input(const Tensor& t, std::optional<DType> dtype) {
  return dtype && *dtype != scan_dtype(t.dtype()) ? to_dtype(t, *dtype) : t;
}

// --- what gradients of products are made of ------------------------------------------------------------------------------

// t moved by one along dim, towards the end (or the start), with `fill` in the free place.
Tensor shift(const Tensor& t, int64_t dim, bool to_end, double fill) {
  Tensor out = full(t.sizes(), Scalar(fill), t.dtype());
  int64_t n = t.sizes()[dim];
  if (n > 1) {
    Tensor from = detach(t);
    copy_data(slice(out, dim, to_end ? 1 : 0, to_end ? n : n - 1),
              slice(from, dim, to_end ? 0 : 1, to_end ? n - 1 : n));
  }
  record("ShiftBackward0", out, {t}, {},
         [dim, to_end](Backward& ctx) { ctx.set(0, shift(ctx.grad(), dim, !to_end, 0)); });
  return out;
}

template <class T, class C>
void recurrence_row(const T* a, const T* b, T* out, int64_t n, int64_t inner, bool reverse) {
  for (int64_t i = 0; i < inner; ++i) {
    C state{};
    for (int64_t k = 0; k < n; ++k) {
      int64_t at = (reverse ? n - 1 - k : k) * inner + i;
      state = k == 0 ? C(b[at]) : C(b[at]) + C(a[at]) * state;
      out[at] = T(state);
    }
  }
}

// h[i] = b[i] + a[i] h[i-1], or in reverse b[i] + a[i] h[i+1]; the first step takes no a. Its gradients are of its own kind.
Tensor recurrence(const Tensor& a, const Tensor& b, int64_t dim, bool reverse) {
  Tensor x = plain(a), y = plain(b), out = Tensor::empty(b.sizes(), b.dtype());
  AxisRows rows(x, dim);
  if (out.numel() > 0)
    visit_dtype(b.dtype(), [&](auto zero) {
      using T = decltype(zero);
      if constexpr (!std::is_integral_v<T>) {
        using C = std::conditional_t<sizeof(T) == 2, float, T>;
        int64_t block = rows.n * rows.inner;
        parallel_for(rows.outer, std::max<int64_t>(1, 16384 / block), [&](int64_t begin, int64_t end) {
          for (int64_t o = begin; o < end; ++o)
            recurrence_row<T, C>(x.data<T>() + o * block, y.data<T>() + o * block, out.data<T>() + o * block, rows.n,
                                 rows.inner, reverse);
        });
      }
    });
  record("RecurrenceBackward0", out, {a, b}, {a, output(out)}, [dim, reverse](Backward& ctx) {
    // u[i] = g[i] + conj(a[i+1]) u[i+1] reaches b[i]; a[i] gets u[i] conj(h[i-1]).
    Tensor u = recurrence(shift(conj(ctx.saved(0)), dim, reverse, 0), ctx.grad(), dim, !reverse);
    if (ctx.needs(0)) ctx.set(0, mul(u, conj(shift(ctx.saved(1), dim, !reverse, 0))));
    if (ctx.needs(1)) ctx.set(1, u);
  });
  return out;
}

Tensor cumprod_along(const Tensor& x, int64_t dim) {
  Tensor out = scan_with(x, dim, scan_dtype(x.dtype()), cpu::scan().cumprod);
  record("CumprodBackward0", out, {x}, {x}, [dim](Backward& ctx) {
    Tensor x = ctx.saved(0);
    ctx.set(0, x.dim() == 0 ? ctx.grad() : cumprod_backward(x, ctx.grad(), dim));
  });
  return out;
}

Tensor narrowed(const Tensor& out, std::optional<DType> dtype) { return dtype ? to_dtype(out, *dtype) : out; }

Tensor cumsum_op(const Tensor& t, int64_t d, std::optional<DType> dtype) {
  return narrowed(cumsum(scan_input(t, dtype), wrap_dim(d, t.dim())), dtype);
}

Tensor cumprod_op(const Tensor& t, int64_t d, std::optional<DType> dtype) {
  return narrowed(cumprod_along(scan_input(t, dtype), wrap_dim(d, t.dim())), dtype);
}

// --- running extrema -----------------------------------------------------------------------------------------------------

template <bool Max>
std::tuple<Tensor, Tensor> running_extreme(const Tensor& t, int64_t d) {
  if (is_complex_dtype(t.dtype())) not_implemented_for(Max ? "cummax_cpu" : "cummin_cpu", t.dtype());
  int64_t dim = wrap_dim(d, t.dim());
  Tensor x = plain(t), values = Tensor::empty(x.sizes(), x.dtype()), indices = Tensor::empty(x.sizes(), DType::I64);
  AxisRows rows(x, dim);
  if (x.numel() > 0)
    (Max ? cpu::scan().cummax : cpu::scan().cummin)(x.dtype(), x.raw(), rows.outer, rows.n, rows.inner, values.raw(),
                                                    indices.data<int64_t>());
  const Tensor outs[] = {values, indices};
  record(Max ? "CummaxBackward0" : "CumminBackward0", std::span<const Tensor>(outs), std::span<const Tensor>(&t, 1),
         {Keep(indices)}, [sizes = Dims(t.sizes()), dim](Backward& ctx) {
           if (ctx.has_grad(0))
             ctx.set(0, scatter_add(zeros(sizes, ctx.grad(0).dtype()), dim, ctx.saved(0), ctx.grad(0)));
         });
  return {values, indices};
}

// --- logcumsumexp --------------------------------------------------------------------------------------------------------

// Term by term, so that the imaginary part runs on instead of staying within one turn.
void complex_logcumsumexp(const Complex128* x, Complex128* out, const AxisRows& rows, int64_t start) {
  Complex128 state = x[start];
  out[start] = state;
  for (int64_t k = 1; k < rows.n; ++k) {
    int64_t at = start + k * rows.inner;
    Complex128 small = x[at], large = state;
    if (small.real() > large.real()) std::swap(small, large);
    if (small.real() > -kInfinity)
      state = large + std::log(1.0 + std::exp(small - large));
    else
      state = large;
    out[at] = state;
  }
}

Tensor logcumsumexp(const Tensor& t, int64_t d) {
  if (!is_differentiable(t.dtype())) not_implemented_for("logcumsumexp_out_cpu", t.dtype());
  int64_t dim = wrap_dim(d, t.dim());
  Tensor out;
  if (is_complex_dtype(t.dtype())) {
    Tensor x = plain(to_dtype(detach(t), DType::C128));
    out = Tensor::empty(x.sizes(), DType::C128);
    AxisRows rows(x, dim);
    if (out.numel() > 0)
      for (int64_t row = 0; row < rows.outer * rows.inner; ++row)
        complex_logcumsumexp(x.data<Complex128>(), out.data<Complex128>(), rows,
                             row / rows.inner * rows.n * rows.inner + row % rows.inner);
    out = to_dtype(out, t.dtype());
  } else {
    out = scan_with(t, dim, t.dtype(), cpu::scan().logcumsumexp);
  }
  // dx[i] = exp(x[i] - y[i]) * h[i], h[i] = g[i] + exp(y[i] - y[i+1]) h[i+1]: every exponent is at most 0.
  record("LogcumsumexpBackward0", out, {t}, {t, output(out)}, [dim](Backward& ctx) {
    Tensor x = ctx.saved(0), y = ctx.saved(1), g = ctx.grad();
    if (x.dim() == 0 || x.numel() == 0) return ctx.set(0, g);
    Tensor gone = is_complex_dtype(x.dtype()) ? Tensor() : eq(y, -kInfinity);
    auto safe_exp = [&](const Tensor& e) {
      return gone.defined() ? where(gone, number(0), exp(where(gone, number(0), e))) : exp(e);
    };
    Tensor ratio = safe_exp(sub(y, shift(y, dim, false, kInfinity))), own = safe_exp(sub(x, y));
    ctx.set(0, mul(conj(own), recurrence(conj(ratio), g, dim, true)));
  });
  return out;
}

}  // namespace

Tensor cumsum(const Tensor& x, int64_t dim, bool reverse) {
  Tensor out = scan_with(x, dim, scan_dtype(x.dtype()),
                         [reverse](DType in, const void* p, int64_t outer, int64_t n, int64_t inner, void* o) {
                           cpu::scan().cumsum(in, reverse, p, outer, n, inner, o);
                         });
  record("CumsumBackward0", out, {x}, {},
         [dim, reverse](Backward& ctx) { ctx.set(0, cumsum(ctx.grad(), dim, !reverse)); });
  return out;
}

Tensor cumprod_backward(const Tensor& x, const Tensor& g, int64_t dim) {
  // The product before i, times h[i] = g[i] + x[i+1] h[i+1].
  Tensor before = shift(cumprod_along(x, dim), dim, true, 1);
  Tensor after = recurrence(shift(conj(x), dim, false, 0), g, dim, true);
  return mul(conj(before), after);
}

static const Family family([](Registry& r) {
  constexpr Traits kInPlace{.in_place = true};
  r.op<&cumsum_op>(
      "cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor",
      "Running sums along dim, in self's shape; of integers and bool as int64. dtype, if given, is that of\n"
      "the computation and the result.\n\n"
      ">>> torch.cumsum(torch.tensor([1, 2, 3]), 0)\ntensor([1, 3, 6])\n",
      kInPlace);
  r.op<&cumprod_op>(
      "cumprod(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor",
      "Running products along dim, in self's shape; of integers and bool as int64. dtype, if given, is that\n"
      "of the computation and the result.\n\n"
      ">>> torch.cumprod(torch.tensor([1, 2, 3]), 0)\ntensor([1, 2, 6])\n",
      kInPlace);
  r.op<&running_extreme<true>>(
      "cummax(Tensor self, int dim) -> (Tensor values, Tensor indices)",
      "The largest element so far along dim, and its place (int64; the last of equal ones). NaN, once met,\n"
      "stays. Complex dtypes are a RuntimeError.\n\n"
      ">>> torch.cummax(torch.tensor([1, 3, 2, 3]), 0).indices\ntensor([0, 1, 1, 3])\n");
  r.op<&running_extreme<false>>(
      "cummin(Tensor self, int dim) -> (Tensor values, Tensor indices)",
      "The smallest element so far along dim, and its place (int64; the last of equal ones). NaN, once met,\n"
      "stays. Complex dtypes are a RuntimeError.\n\n"
      ">>> torch.cummin(torch.tensor([3, 1, 2]), 0).values\ntensor([3, 1, 1])\n");
  r.op<&logcumsumexp>("logcumsumexp(Tensor self, int dim) -> Tensor",
                      "log(cumsum(exp(self))) along dim, computed without overflow. Floating and complex dtypes.\n\n"
                      ">>> torch.logcumsumexp(torch.tensor([1000., 1000.]), 0)\ntensor([1000.0000, 1000.6932])\n");
});

}  // namespace rl
