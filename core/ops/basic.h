// The ops that other ops are written with: copies, conversions, fills, views.
#pragma once

#include <algorithm>
#include <optional>

#include "ops/gradient.h"
#include "ops/registry.h"
#include "tensor/shape.h"

namespace rl {

// --- bytes, without history --------------------------------------------------------------------------------------------
void copy_data(const Tensor& to, const Tensor& from);  // broadcasts and converts
void fill_data(const Tensor& t, const Scalar& value);
bool any_zero(const Tensor& t);
bool can_cast(DType from, DType to);
inline bool same_shape(const Tensor& a, const Tensor& b) {
  return a.dim() == b.dim() && std::equal(a.sizes().begin(), a.sizes().end(), b.sizes().begin());
}

// --- differentiable ------------------------------------------------------------------------------------------------------
Tensor clone(const Tensor& t, std::optional<MemoryFormat> format = {});
Tensor contiguous(const Tensor& t, MemoryFormat format = MemoryFormat::Contiguous);
Tensor to_dtype(const Tensor& t, DType dtype);
Tensor copy_(const Tensor& self, const Tensor& source, bool non_blocking = false);
Tensor fill_(const Tensor& self, const Scalar& value);
Tensor fill_(const Tensor& self, const Tensor& value);  // 0-d
Tensor zero_(const Tensor& self);

Tensor full(IntSpan sizes, const Scalar& value, DType dtype);
inline Tensor zeros(IntSpan sizes, DType dtype) { return full(sizes, Scalar(0), dtype); }
inline Tensor ones(IntSpan sizes, DType dtype) { return full(sizes, Scalar(1), dtype); }
Tensor zeros_like(const Tensor& t);
Tensor ones_like(const Tensor& t);

// --- views -----------------------------------------------------------------------------------------------------------------
// A view of t's storage that shares its version counter and, once a formula is recorded on it, its history.
Tensor view_of(const Tensor& t, IntSpan sizes, IntSpan strides, int64_t offset);
Tensor view(const Tensor& t, IntSpan sizes);
Tensor reshape(const Tensor& t, IntSpan sizes);
Tensor expand(const Tensor& t, IntSpan sizes);
Tensor permute(const Tensor& t, IntSpan dims);
Tensor transpose(const Tensor& t, int64_t a, int64_t b);
Tensor squeeze(const Tensor& t, IntSpan dims);
Tensor unsqueeze(const Tensor& t, int64_t dim);
Tensor select(const Tensor& t, int64_t dim, int64_t index);
Tensor slice(const Tensor& t, int64_t dim, std::optional<int64_t> start, std::optional<int64_t> end, int64_t step = 1);
Tensor as_strided(const Tensor& t, IntSpan sizes, IntSpan strides, std::optional<int64_t> offset = {});
Tensor view_as_real(const Tensor& t);
Tensor view_as_complex(const Tensor& t);
Tensor real(const Tensor& t);
Tensor imag(const Tensor& t);
inline Tensor mT(const Tensor& t) { return transpose(t, -2, -1); }

// --- in place ------------------------------------------------------------------------------------------------------------------
// Checks that self may be changed now (not a leaf that wants a gradient, not a read-only or expanded memory, not a view
// made under no_grad...). `tracked`: the change will be part of the history.
// With kOneValue all elements become the same, so that it does not matter if some share a place in memory.
constexpr bool kOneValue = true;
void check_in_place(const Tensor& self, const char* op, bool tracked, bool one_value = false);
// What is written may be what is read, but not meet it otherwise (seen where both are dense); or not at all.
void check_partial_overlap(const Tensor& out, const Tensor& in);
void check_no_overlap(const Tensor& out, const Tensor& in);
// Marks self as changed by op.
void changed_in_place(const Tensor& self, const char* op);
// Makes `node` self's history; if self is a view, the base's (through CopySlices). node's first input is self.
void rebase_history(const Tensor& self, Ref<Node> node);
// The in-place form of an out-of-place op: args[0] is self.
Tensor run_in_place(const OpDef& def, const Value* args);

// --- sums --------------------------------------------------------------------------------------------------------------------------
Tensor sum(const Tensor& t, IntSpan dims, bool keepdim, std::optional<DType> dtype = {});
Tensor sum_to(const Tensor& t, IntSpan sizes);
Tensor arange_int(int64_t n);                                                              // 0..n-1, int64
Tensor index_add_flat(const Tensor& flat, const Tensor& positions, const Tensor& values);  // out of place, 1-d
DType result_type(std::span<const Tensor> inputs, std::span<const Scalar> scalars);

}  // namespace rl
