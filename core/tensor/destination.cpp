#include "tensor/destination.h"

#include <algorithm>

namespace rl {

Destination::Destination(std::span<const Tensor> places, Holds holds, bool pointwise)
    : holds_(holds), pointwise_(pointwise), previous_(offered) {
  for (size_t i = 0; i < places.size() && i < kMost; ++i) places_[i] = places[i];
  offered = this;
}

Ref<TensorImpl> Destination::take_fresh(IntSpan sizes, DType dtype) {
  for (Tensor& place : places_) {
    if (!place || place.dtype() != dtype || !place.is_contiguous() || !std::ranges::equal(place.sizes(), sizes))
      continue;
    Tensor taken = place.alias();
    place.reset();
    return taken.take();
  }
  return {};
}

Tensor Destination::for_elements(IntSpan sizes, DType dtype) {
  if (!offered || !offered->pointwise_) return {};
  Tensor& place = offered->places_[0];
  if (!place || place.dtype() != dtype || !std::ranges::equal(place.sizes(), sizes)) return {};
  return Tensor(place.take());
}

Tensor Destination::over(const Tensor& self) {
  if (!offered || offered->holds_ != Holds::OneInput || !offered->places_[0]) return {};
  return same_place(offered->places_[0], self) ? Tensor(offered->places_[0].take()) : Tensor();
}

bool same_place(const Tensor& a, const Tensor& b) {
  return &a->storage() == &b->storage() && a->offset() == b->offset() && a.dtype() == b.dtype() &&
         std::ranges::equal(a.sizes(), b.sizes()) && std::ranges::equal(a.strides(), b.strides());
}

}  // namespace rl
