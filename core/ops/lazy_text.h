// Text of an error that is put together only if there is one: check(ok, "expected ..., got ", Shown{t.sizes()}).
#pragma once

#include <ostream>

#include "tensor/shape.h"

namespace rl {

struct Shown {
  IntSpan sizes;
  friend std::ostream& operator<<(std::ostream& out, const Shown& s) { return out << shape_str(s.sizes); }
};

template <class F>
struct Later {
  F text;
  friend std::ostream& operator<<(std::ostream& out, const Later& l) { return out << l.text(); }
};
template <class F>
Later(F) -> Later<F>;

}  // namespace rl
