// Where the result of the operation that runs is wanted, when that exists already (out=, in place): who makes the
// result may put it there, and nothing is left to copy. An offer, not a promise: the caller looks where the result is.
#pragma once

#include "tensor/allocator.h"
#include "tensor/tensor.h"

namespace rl {

class Destination {
 public:
  // What of the operation's inputs lies in the wanted place.
  enum class Holds {
    Nothing,   // the first fresh tensor of its shape and dtype may be there, be it a middle result
    OneInput,  // exactly one input, and no other touches it
    Inputs,    // several, each exactly there
  };

  // pointwise: the operation is one pass over its elements, which may go anywhere that its result fits.
  Destination(std::span<const Tensor> places, Holds holds, bool pointwise);
  ~Destination() { offered = previous_; }
  Destination(const Destination&) = delete;
  Destination& operator=(const Destination&) = delete;

  static bool is_offered() { return offered != nullptr; }
  // For a fresh contiguous tensor.
  static Ref<TensorImpl> for_fresh(IntSpan sizes, DType dtype) {
    return offered && offered->holds_ == Holds::Nothing ? offered->take_fresh(sizes, dtype) : Ref<TensorImpl>();
  }
  // For the result of one pass over the elements of inputs.
  static Tensor for_elements(IntSpan sizes, DType dtype);
  // Said by an operation before such a pass, if it will not read its inputs again.
  static void last_pass() {
    if (offered) offered->pointwise_ = true;
  }
  // self itself, if its changed form is wanted there and the operation reads it for the last time.
  static Tensor over(const Tensor& self);

 private:
  static constexpr int kMost = 4;
  static inline thread_local constinit Destination* offered RL_FAST_TLS = nullptr;

  Ref<TensorImpl> take_fresh(IntSpan sizes, DType dtype);

  Tensor places_[kMost];
  Holds holds_;
  bool pointwise_;
  Destination* previous_;
};

// The same elements in the same places.
bool same_place(const Tensor& a, const Tensor& b);

}  // namespace rl
