// The softmax family, for other ops to build on.
#pragma once

#include "ops/basic.h"

namespace rl {

Tensor softmax(const Tensor& x, int64_t dim);
Tensor log_softmax(const Tensor& x, int64_t dim);

}  // namespace rl
