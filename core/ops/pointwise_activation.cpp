#include "kernels/pointwise/activation.h"
#include "kernels/pointwise/special.h"
#include "kernels/pointwise_tables.h"
#include "ops/pointwise_register.h"

namespace rl {
static const Family family([](Registry& r) {
  RegisterList<pointwise::ActivationOps, &cpu::activation_loops, &cpu::activation_of_complex>::run(r);
  // PyTorch computes these by other ops, and their names show in grad_fn.
  pointwise_slot<pointwise::Selu>.backward_name = "EluBackward0";
  pointwise_slot<pointwise::Relu6>.backward_name = "HardtanhBackward0";
  pointwise_slot<pointwise::Softsign>.backward_name = "DivBackward0";
  pointwise_slot<pointwise::Tanhshrink>.backward_name = "SubBackward0";
  // Their numbers do not take part in promotion: integers stay integers, or are refused.
  auto keep_dtype = [](auto&... defs) { ((defs.scalars_promote = false), ...); };
  keep_dtype(pointwise_slot<pointwise::Hardtanh>, pointwise_slot<pointwise::LeakyRelu>, pointwise_slot<pointwise::Elu>,
             pointwise_slot<pointwise::Celu>, pointwise_slot<pointwise::Softplus>,
             pointwise_slot<pointwise::Softshrink>, pointwise_slot<pointwise::Hardshrink>,
             pointwise_slot<pointwise::Threshold>);
});
}  // namespace rl
