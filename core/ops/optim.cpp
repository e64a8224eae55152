#include "ops/optim.h"

#include "kernels/pointwise/arithmetic.h"
#include "ops/pointwise.h"

namespace rl {
namespace {

bool plain(const Tensor& t, const Tensor& like) {
  return t.dtype() == like.dtype() && t.is_contiguous() && same_shape(t, like);
}

// a + alpha * b, in a's memory.
void add_scaled(const Tensor& a, const Tensor& b, double alpha) {
  const Tensor inputs[] = {a, b};
  const Scalar scalars[] = {Scalar(alpha)};
  run_pointwise(pointwise_def<pointwise::Add>(), inputs, scalars, a);
}

// Op by op, for layouts and dtypes without a fused loop.
void sgd_composed(const Tensor& param, const Tensor& grad, Tensor& buffer, bool momentum, const cpu::SgdOptions& o) {
  Tensor d = o.maximize ? call<pointwise::Neg>(grad) : clone(grad);
  if (o.weight_decay != 0) add_scaled(d, param, o.weight_decay);
  if (momentum) {
    if (!buffer.defined()) {
      buffer = clone(d);
    } else {
      const Tensor inputs[] = {buffer, Tensor::wrapped(Scalar(o.momentum))};
      run_pointwise(pointwise_def<pointwise::Mul>(), inputs, nullptr, buffer);
      add_scaled(buffer, d, 1 - o.dampening);
    }
    if (o.nesterov)
      add_scaled(d, buffer, o.momentum);
    else
      d = buffer;
  }
  add_scaled(param, d, -o.lr);
}

}  // namespace

void sgd_step(const TensorList& params, const TensorList& grads, TensorList& buffers, cpu::SgdOptions options) {
  GradModeGuard off(false);
  bool momentum = !buffers.empty();
  Tensor none;
  for (size_t i = 0; i < params.size(); ++i) {
    const Tensor &p = params[i], &g = grads[i];
    check(same_shape(p, g), "SGD: the gradient of parameter ", i, " has shape ", shape_str(g.sizes()),
          ", the parameter ", shape_str(p.sizes()));
    Tensor& buffer = momentum ? buffers[i] : none;
    options.first = !buffer.defined();
    bool fused = (p.dtype() == DType::F32 || p.dtype() == DType::F64) && p.is_contiguous() && plain(g, p) &&
                 (!buffer.defined() || plain(buffer, p));
    if (fused) {
      if (momentum && !buffer.defined()) buffer = Tensor::empty(p.sizes(), p.dtype());
      if (p.numel() > 0)
        cpu::optim().sgd(p.dtype(), p.raw(), g.raw(), momentum ? buffer.raw() : nullptr, p.numel(), options);
    } else {
      sgd_composed(p, g, buffer, momentum, options);
    }
    changed_in_place(p, "SGD.step");
  }
}

}  // namespace rl
