// Reading and writing along one dimension: index_select and its kin, gather and scatter, embedding.
#include <algorithm>

#include "ops/index_util.h"

namespace rl {

Tensor index_add_flat(const Tensor& flat, const Tensor& positions, const Tensor& values) {
  return index_put_(clone(flat), {positions}, values, true);
}

}  // namespace rl
