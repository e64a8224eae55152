// Text of an error that is put together only if there is one: check(ok, "got ", Later{[&] { ... }}).
#pragma once

#include <ostream>

namespace rl {

template <class F>
struct Later {
  F text;
  friend std::ostream& operator<<(std::ostream& out, const Later& l) { return out << l.text(); }
};
template <class F>
Later(F) -> Later<F>;

}  // namespace rl
