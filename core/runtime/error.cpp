#include "runtime/error.h"

#include <sstream>

namespace rl {

std::string joined(const Part* parts, size_t count) {
  std::ostringstream out;
  for (size_t i = 0; i < count; ++i) out << parts[i];
  return out.str();
}

void fail_with(ErrorKind kind, const Part* parts, size_t count) { throw Error(kind, joined(parts, count)); }

}  // namespace rl
