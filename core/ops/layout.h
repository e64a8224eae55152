// Where a tensor's elements lie in its storage.
#pragma once

#include "tensor/tensor.h"

namespace rl {

// For histories of views that outlive the tensors themselves.
struct Layout {
  Dims sizes, strides;
  int64_t offset;

  // as_reals: of a complex tensor, with the real and the imaginary part as a last axis.
  explicit Layout(const Tensor& t, bool as_reals = false)
      : sizes(t.sizes()), strides(t.strides()), offset(t->offset()) {
    if (!as_reals) return;
    for (int64_t& stride : strides) stride *= 2;
    offset *= 2;
    sizes.push_back(2);
    strides.push_back(1);
  }

  // How many elements of the storage lie between the first and the last one, both counted.
  int64_t reach() const {
    int64_t last = 0;
    for (int64_t d = 0; d < sizes.size(); ++d) {
      if (sizes[d] == 0) return 0;
      last += (sizes[d] - 1) * strides[d];
    }
    return last + 1;
  }
};

// Whether a written element could be another one, too: an axis was expanded.
inline bool overlaps_itself(const Tensor& t) {
  for (int64_t d = 0; d < t.dim(); ++d)
    if (t.strides()[d] == 0 && t.sizes()[d] > 1) return t.numel() != 0;
  return false;
}

}  // namespace rl
