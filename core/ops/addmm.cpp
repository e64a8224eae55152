// Sums with a product: beta * self + alpha * (the product of two matrices, of batches of them, of vectors).
#include <algorithm>
#include <array>

#include "kernels/pointwise/arithmetic.h"
#include "ops/product.h"
#include "tensor/destination.h"

namespace rl {

static void check_expands(const Tensor& self, IntSpan to) {
  if (can_broadcast(self.sizes(), to)) return;
  expand(detach(self), to);  // says what does not fit
}

// Where the product is added to what self has: self itself, if that is what the sum becomes.
static Tensor result_over(const Tensor& self, IntSpan shape) {
  if (self.is_contiguous() && std::ranges::equal(self.sizes(), shape))
    if (Tensor there = Destination::over(self)) return there;
  return Tensor::empty(shape, self.dtype());
}

// beta * self + alpha * (a @ b): into a copy of self, or with a row as the kernel's bias.
static Tensor raw_addmm(const Tensor& self, const Tensor& a, const Tensor& b, bool tb, const Scalar& beta,
                        const Scalar& alpha) {
  IntSpan as = a.sizes(), bs = b.sizes(), at = a.strides(), bt = b.strides();
  int64_t shape[2] = {as[0], bs[!tb]};
  Tensor out = result_over(self, {shape, 2});
  if (shape[0] == 0 || shape[1] == 0) return out;
  MatrixProduct p{a.dtype(), shape[0], shape[1], as[1],   a.raw(),   at[0],
                  at[1],     b.raw(),  bt[tb],   bt[!tb], out.raw(), shape[1]};
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
  multiply(p, "addmm_impl_cpu_");
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
  check(self.dtype() == b.dtype(), "self and mat2 must have the same dtype, but got ", scalar_type_name(self.dtype()),
        " and ", scalar_type_name(b.dtype()));
  check_dtypes(a, b, ProductKind::WithAddend);
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
  Tensor out = result_over(self, a.sizes().first(1));
  if (out.numel() > 0) {
    MatrixProduct p{a.dtype(), a.sizes()[0],   1, a.sizes()[1], a.raw(), a.strides()[0], a.strides()[1],
                    v.raw(),   v.strides()[0], 1, out.raw(),    1};
    p.alpha = alpha;
    if (beta.to_complex() != std::complex<double>(0)) {
      copy_data(out, self);
      p.beta = beta;
    }
    multiply(p, "addmv_impl_cpu");
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
  Tensor out = result_over(self, shape);
  if (out.numel() > 0) {
    IntSpan at = a.strides(), bt = b.strides();
    MatrixProduct p{a.dtype(), shape[1], shape[2], a.size(2), a.raw(),   at[1],
                    at[2],     b.raw(),  bt[1],    bt[2],     out.raw(), shape[2]};
    p.alpha = alpha;
    p.batch = shape[0], p.a_batch = at[0], p.b_batch = bt[0], p.c_batch = shape[1] * shape[2];
    if (beta.to_complex() != std::complex<double>(0)) {
      copy_data(out, self);
      p.beta = beta;
    }
    multiply(p, "baddbmm");
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
  Tensor out = result_over(self, shape);
  if (out.numel() > 0) {
    IntSpan at = a.strides(), bt = b.strides();
    bool add = beta.to_complex() != std::complex<double>(0);
    if (add) copy_data(out, self);
    MatrixProduct p{a.dtype(), shape[0], shape[1], a.size(2), a.raw(),   at[1],
                    at[2],     b.raw(),  bt[1],    bt[2],     out.raw(), shape[1]};
    p.alpha = alpha;
    p.beta = add ? beta : Scalar(0);
    int64_t item = item_size(a.dtype());
    for (int64_t i = 0; i < std::max<int64_t>(a.size(0), 1); ++i) {
      if (a.size(0) == 0) p.k = 0;
      multiply(p, "addmm_impl_cpu_");
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
    const bool one_pass = is_floating(dtype) && beta.to_complex() == std::complex<double>(1) && !alpha.is_complex();
    Tensor product = one_pass ? Tensor() : call<pointwise::Mul>(unsqueeze(a, 1), b);
    if (one_pass) {
      Destination::last_pass();
      out = call<pointwise::Addcmul>(self, unsqueeze(a, 1), b, alpha);
    } else if (dtype == DType::Bool) {
      out = beta.to_bool() ? call<pointwise::Add>(self, product, 1) : product;
    } else {
      if (alpha.to_complex() != std::complex<double>(1))
        product = call<pointwise::Mul>(product, Tensor::wrapped(alpha));
      if (beta.to_complex() == std::complex<double>(0))
        out = product;
      else {
        Destination::last_pass();
        out = call<pointwise::Add>(product, self, beta);
      }
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

static const Family family([](Registry& r) {
  constexpr Traits kInPlace{.in_place = true};
  r.op<&addmm>(
      "addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
      "beta * self + alpha * (mat1 @ mat2): mat1 (n, k), mat2 (k, m), self broadcast to (n, m). With beta\n"
      "0, self is not read (NaN in it does no harm). Sizes that do not fit, and different dtypes, are a\n"
      "RuntimeError.\n\n"
      ">>> torch.addmm(torch.tensor([1., 2.]), torch.eye(2), torch.ones(2, 2), alpha=10)\ntensor([[11., 12.],\n"
      "        [11., 12.]])\n",
      kInPlace);
  r.op<&addmv>("addmv(Tensor self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
               "beta * self + alpha * (mat @ vec): mat (n, m), vec (m,), self broadcast to (n,). As addmm().\n\n"
               ">>> torch.addmv(torch.tensor([1., 2.]), torch.eye(2), torch.tensor([10., 20.]))\ntensor([11., 22.])\n",
               kInPlace);
  r.op<&addr>("addr(Tensor self, Tensor vec1, Tensor vec2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
              "beta * self + alpha * outer(vec1, vec2): self broadcast to (n, m).\n\n"
              ">>> torch.addr(torch.zeros(2, 2), torch.tensor([1., 2.]), torch.tensor([3., 4.]))\ntensor([[3., 4.],\n"
              "        [6., 8.]])\n",
              kInPlace);
  r.op<&addbmm>("addbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
                "beta * self + alpha * the sum of the products of two batches of matrices, (b, n, k) and (b, k, m):\n"
                "self broadcast to (n, m).\n\n"
                ">>> torch.addbmm(torch.zeros(2, 2), torch.ones(3, 2, 4), torch.ones(3, 4, 2))\ntensor([[12., 12.],\n"
                "        [12., 12.]])\n",
                kInPlace);
  r.op<&baddbmm>(
      "baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
      "beta * self + alpha * bmm(batch1, batch2): self broadcast to (b, n, m). As addmm().\n\n"
      ">>> torch.baddbmm(torch.ones(1, 1, 1), torch.ones(2, 1, 3), torch.ones(2, 3, 1)).flatten()\ntensor([4., 4.])\n",
      kInPlace);
});

}  // namespace rl
