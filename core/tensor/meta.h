// Whether a tensor has data (runtime/meta.h says what those are that have none).
#pragma once

#include "runtime/meta.h"
#include "tensor/tensor.h"

namespace rl {

Ref<Storage> allocate_meta(size_t bytes);  // addresses without memory behind them
bool is_meta(const Storage& storage);
inline bool is_meta(const Tensor& t) { return detail::meta_used && t.defined() && is_meta(t->storage()); }
inline Device device_of(const Tensor& t) { return Device{is_meta(t) ? DeviceType::Meta : DeviceType::CPU, -1}; }
// A tensor of the same shape, strides and dtype without data.
Tensor meta_like(const Tensor& t);
[[noreturn]] void fail_without_data();

}  // namespace rl
