// Gamma and Dirichlet draws, through which gradients flow into the concentrations.
#include "kernels/random_gamma.h"

#include "kernels/pointwise/arithmetic.h"
#include "ops/creation.h"
#include "ops/pointwise.h"

namespace rl {
namespace {

Generator& pick(Generator* g) { return g ? *g : default_generator(); }

Tensor standard_gamma_grad(const Tensor& self, const Tensor& output) {
  check(self.dtype() == output.dtype(), "expected scalar type ", scalar_type_name(self.dtype()), " but found ",
        scalar_type_name(output.dtype()));
  check(same_shape(self, output), "_standard_gamma_grad: expected draws of shape ", shape_str(self.sizes()), ", got ",
        shape_str(output.sizes()));
  Tensor a = contiguous(detach(self)), x = contiguous(detach(output)), out = Tensor::empty(self.sizes(), self.dtype());
  random::standard_gamma_gradient(a.dtype(), a.numel(), a.raw(), x.raw(), out.raw());
  return out;
}

Tensor standard_gamma(const Tensor& self, Generator* g) {
  Tensor a = contiguous(detach(self)), out = Tensor::empty(self.sizes(), self.dtype());
  random::standard_gamma({out.dtype(), out.raw(), out.numel(), true}, a.raw(), pick(g));
  record("StandardGammaBackward0", out, {self}, {self, output(out)}, [](Backward& ctx) {
    ctx.set(0, call<pointwise::Mul>(ctx.grad(), standard_gamma_grad(ctx.saved(0), ctx.saved(1))));
  });
  return out;
}

Tensor dirichlet_grad(const Tensor& x, const Tensor& alpha, const Tensor& total) {
  for (const Tensor* t : {&alpha, &total}) {
    check(t->dtype() == x.dtype(), "expected scalar type ", scalar_type_name(x.dtype()), " but found ",
          scalar_type_name(t->dtype()));
    check(same_shape(*t, x), "_dirichlet_grad: expected tensors of one shape, got ", shape_str(x.sizes()), " and ",
          shape_str(t->sizes()));
  }
  Tensor draws = contiguous(detach(x)), a = contiguous(detach(alpha)), sums = contiguous(detach(total)),
         out = Tensor::empty(x.sizes(), x.dtype());
  random::dirichlet_gradient(x.dtype(), x.numel(), draws.raw(), a.raw(), sums.raw(), out.raw());
  return out;
}

Tensor last_sum(const Tensor& t) {
  const int64_t last[] = {-1};
  return sum(t, IntSpan(last, 1), true);
}

Tensor sample_dirichlet(const Tensor& self, Generator* g) {
  check(self.dim() >= 1, "_sample_dirichlet: concentrations must be at least one-dimensional");
  Tensor a = contiguous(detach(self)), out = Tensor::empty(self.sizes(), self.dtype());
  if (out.numel()) random::dirichlet({out.dtype(), out.raw(), out.numel(), true}, a.raw(), a.size(-1), pick(g));
  record("SampleDirichletBackward0", out, {self}, {self, output(out)}, [](Backward& ctx) {
    // Each component's marginal is a beta; what it gains, all lose in proportion.
    Tensor a = ctx.saved(0), x = ctx.saved(1), g = ctx.grad();
    Tensor slopes = dirichlet_grad(x, a, expand(last_sum(a), a.sizes()));
    ctx.set(0, call<pointwise::Mul>(slopes, call<pointwise::Sub>(g, last_sum(call<pointwise::Mul>(x, g)), 1)));
  });
  return out;
}

const Family family([](Registry& r) {
  r.op<&standard_gamma>("_standard_gamma(Tensor self, Generator? generator=None) -> Tensor",
                        "Draws from gamma distributions of rate 1 with the given concentrations.");
  r.op<&standard_gamma_grad>("_standard_gamma_grad(Tensor self, Tensor output) -> Tensor",
                             "The gradient of gamma draws `output` with respect to their concentrations.");
  r.op<&sample_dirichlet>(
      "_sample_dirichlet(Tensor self, Generator? generator=None) -> Tensor",
      "Draws from Dirichlet distributions with the given concentrations, along the last dimension.");
  r.op<&dirichlet_grad>("_dirichlet_grad(Tensor x, Tensor alpha, Tensor total) -> Tensor",
                        "The gradient of beta draws x with respect to alpha, over 1 - x; total is alpha + beta.");
});

}  // namespace
}  // namespace rl
