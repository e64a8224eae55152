#include "tensor/shape.h"

#include <algorithm>
#include <utility>

#include "runtime/error.h"

namespace rl {

std::string ShapeText::str() const {
  std::string s = tuple ? "(" : "[";
  for (size_t i = 0; i < sizes.size(); ++i) s += (i ? ", " : "") + std::to_string(sizes[i]);
  return s + (!tuple ? "]" : sizes.size() == 1 ? ",)" : ")");
}
std::ostream& operator<<(std::ostream& out, const ShapeText& text) { return out << text.str(); }

int64_t product(IntSpan sizes) {
  int64_t n = 1;
  for (int64_t s : sizes) n *= s;
  return n;
}

Dims contiguous_strides(IntSpan sizes) {
  Dims strides(static_cast<int64_t>(sizes.size()), 1);
  int64_t step = 1;
  for (int64_t i = static_cast<int64_t>(sizes.size()) - 1; i >= 0; --i) {
    strides[i] = step;
    step *= std::max<int64_t>(sizes[i], 1);
  }
  return strides;
}

bool is_dense(IntSpan sizes, IntSpan strides) {
  Dims order;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == 0) return true;
    if (sizes[i] != 1) order.push_back(static_cast<int64_t>(i));
  }
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return strides[a] < strides[b]; });
  int64_t expected = 1;
  for (int64_t d : order) {
    if (strides[d] != expected) return false;
    expected *= sizes[d];
  }
  return true;
}

Dims dense_strides_like(IntSpan sizes, IntSpan strides) {
  if (is_dense(sizes, strides)) return Dims(strides);
  // Innermost first, by insertion. A broadcast axis (stride 0) has no place of its own: it stays where it is, and others
  // pass it by, which is no order that std::sort knows.
  Dims order;
  for (int64_t d = static_cast<int64_t>(sizes.size()) - 1; d >= 0; --d) order.push_back(d);
  for (int64_t i = 1; i < order.size(); ++i) {
    int64_t at = i;
    for (int64_t j = i - 1; j >= 0; --j) {
      const int64_t inner = order[j], outer = order[at];
      if (strides[inner] == 0 || strides[outer] == 0) continue;
      if (strides[inner] < strides[outer]) break;
      if (strides[inner] > strides[outer] || sizes[inner] > sizes[outer]) {
        std::swap(order[j], order[at]);
        at = j;
      }
    }
  }
  Dims out(order.size(), 1);
  int64_t step = 1;
  for (int64_t d : order) {
    out[d] = step;
    step *= std::max<int64_t>(sizes[d], 1);
  }
  return out;
}

Dims channels_last_strides(IntSpan sizes) {
  int64_t n = static_cast<int64_t>(sizes.size());
  check(n == 4 || n == 5, "channels_last needs a 4-d (or, channels_last_3d, a 5-d) tensor, got ", n, "-d");
  Dims strides(n, 1);
  int64_t step = std::max<int64_t>(sizes[1], 1);
  for (int64_t d = n - 1; d >= 2; --d) {
    strides[d] = step;
    step *= std::max<int64_t>(sizes[d], 1);
  }
  strides[0] = step;
  return strides;
}

bool is_channels_last(IntSpan sizes, IntSpan strides) {
  if (sizes.size() != 4 && sizes.size() != 5) return false;
  Dims expected = channels_last_strides(sizes);
  for (size_t i = 0; i < sizes.size(); ++i)
    if (sizes[i] != 1 && strides[i] != expected[static_cast<int64_t>(i)]) return false;
  return true;
}

Dims broadcast_shapes(IntSpan a, IntSpan b) {
  int64_t na = static_cast<int64_t>(a.size()), nb = static_cast<int64_t>(b.size());
  int64_t n = std::max(na, nb);
  Dims out(n, 1);
  for (int64_t i = n - 1; i >= 0; --i) {
    int64_t x = i < n - na ? 1 : a[i - (n - na)];
    int64_t y = i < n - nb ? 1 : b[i - (n - nb)];
    if (x != y && x != 1 && y != 1)
      fail(ErrorKind::Runtime, "The size of tensor a (", x, ") must match the size of tensor b (", y,
           ") at non-singleton dimension ", i, "; shapes ", shape_str(a), " and ", shape_str(b),
           " cannot be broadcast together (aligned from the right, sizes must be equal or 1)");
    out[i] = x == 1 ? y : x;
  }
  return out;
}

Dims broadcast_strides(IntSpan sizes, IntSpan strides, IntSpan to) {
  int64_t n = static_cast<int64_t>(to.size()), skip = n - static_cast<int64_t>(sizes.size());
  Dims out(n, 0);
  for (int64_t i = skip; i < n; ++i) out[i] = sizes[i - skip] == 1 && to[i] != 1 ? 0 : strides[i - skip];
  return out;
}

bool can_broadcast(IntSpan from, IntSpan to) {
  if (from.size() > to.size()) return false;
  size_t skip = to.size() - from.size();
  for (size_t i = 0; i < from.size(); ++i)
    if (from[i] != 1 && from[i] != to[skip + i]) return false;
  return true;
}

int64_t wrap_dim(int64_t d, int64_t dim) {
  int64_t n = std::max<int64_t>(dim, 1);
  if (d < -n || d >= n)
    fail(ErrorKind::Index, "Dimension out of range (expected to be in range of [", -n, ", ", n - 1, "], but got ", d,
         ")");
  return d < 0 ? d + n : d;
}

Dims wrap_dims(IntSpan dims, int64_t dim) {
  Dims out;
  for (int64_t d : dims) {
    int64_t w = wrap_dim(d, dim);
    for (int64_t seen : out) check(seen != w, "dim ", w, " appears multiple times in the list of dims");
    out.push_back(w);
  }
  return out;
}

bool view_strides(IntSpan sizes, IntSpan strides, IntSpan to, Dims& out) {
  int64_t n = static_cast<int64_t>(to.size());
  out = Dims(n, 1);
  if (product(sizes) == 0) {
    out = contiguous_strides(to);
    return true;
  }
  // Walk both shapes from the right; a run of axes that is contiguous within itself can be cut anew.
  int64_t j = n - 1;
  int64_t chunk_stride = sizes.empty() ? 1 : strides.back();
  int64_t chunk = 1, taken = 1;
  for (int64_t i = static_cast<int64_t>(sizes.size()) - 1; i >= 0; --i) {
    chunk *= sizes[i];
    bool last_of_run = i == 0 || (sizes[i - 1] != 1 && strides[i - 1] != chunk * chunk_stride);
    if (!last_of_run) continue;
    while (j >= 0 && (taken < chunk || to[j] == 1)) {
      out[j] = taken * chunk_stride;
      taken *= to[j--];
    }
    if (taken != chunk) return false;
    if (i > 0) {
      chunk_stride = strides[i - 1];
      chunk = taken = 1;
    }
  }
  if (sizes.empty())
    while (j >= 0 && to[j] == 1) out[j--] = 1;
  return j == -1;
}

Dims infer_size(IntSpan shape, int64_t numel) {
  Dims out(shape);
  int64_t known = 1, hole = -1;
  for (int64_t i = 0; i < out.size(); ++i) {
    if (out[i] == -1) {
      check(hole < 0, "only one dimension can be inferred");
      hole = i;
    } else {
      check(out[i] >= 0, "invalid shape dimension ", out[i]);
      if (__builtin_mul_overflow(known, out[i], &known)) known = INT64_MAX;  // more than any tensor holds
    }
  }
  if (hole >= 0) {
    check(known != 0, "cannot reshape tensor of ", numel, " elements into shape ", shape_str(shape),
          " because the unspecified dimension size -1 can be any value and is ambiguous");
    check(numel % known == 0, "shape '", shape_str(shape), "' is invalid for input of size ", numel);
    out[hole] = numel / known;
  } else {
    check(known == numel, "shape '", shape_str(shape), "' is invalid for input of size ", numel);
  }
  return out;
}

}  // namespace rl
