#include "kernels/resample.h"

#include <algorithm>
#include <cmath>

#include "runtime/parallel.h"

namespace rl::resample {
namespace {

// --- tables --------------------------------------------------------------------------------------------------------------

// Keys' cubic convolution: the weight at distance x.
double cubic(double x, double a) {
  x = std::abs(x);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

double sinc(double x) { return x == 0 ? 1 : std::sin(M_PI * x) / (M_PI * x); }

double filter_weight(Filter filter, double x) {
  switch (filter) {
    case Filter::linear_aa: return std::max(0.0, 1 - std::abs(x));
    case Filter::cubic_aa: return cubic(x, -0.5);
    default: return std::abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0;
  }
}

class Builder {
 public:
  Builder(Table& t, int64_t terms) : t_(t) {
    t_.first.reserve(static_cast<size_t>(t.out + 1));
    t_.at.reserve(static_cast<size_t>(t.out * terms));
    t_.weight.reserve(static_cast<size_t>(t.out * terms));
    t_.first.push_back(0);
  }
  void add(int64_t at, double weight) {
    t_.at.push_back(std::clamp<int64_t>(at, 0, t_.in - 1));
    t_.weight.push_back(weight);
  }
  void next() { t_.first.push_back(static_cast<int64_t>(t_.at.size())); }

 private:
  Table& t_;
};

// A filter as wide as what a result covers of the input.
template <class T>
void antialiased(Table& t, Filter filter, T scale) {
  Builder build(t, 4);
  const T size = filter == Filter::linear_aa ? T(2) : filter == Filter::cubic_aa ? T(4) : T(6);
  const T support = scale >= 1 ? size * T(0.5) * scale : size * T(0.5);
  const T inverse = scale >= 1 ? T(1) / scale : T(1);
  for (int64_t o = 0; o < t.out; ++o, build.next()) {
    const T center = scale * (static_cast<T>(o) + T(0.5));
    const int64_t from = std::max<int64_t>(static_cast<int64_t>(center - support + T(0.5)), 0);
    const int64_t to = std::min<int64_t>(static_cast<int64_t>(center + support + T(0.5)), t.in);
    double total = 0;
    std::vector<double> weights;
    for (int64_t i = from; i < to; ++i) {
      const T distance = (static_cast<T>(i) - center + T(0.5)) * inverse;
      weights.push_back(filter_weight(filter, static_cast<double>(distance)));
      total += weights.back();
    }
    for (int64_t i = from; i < to; ++i) {
      const double w = weights[static_cast<size_t>(i - from)];
      build.add(i, total != 0 ? w / total : w);
    }
  }
}

int64_t floor_of(double v) { return static_cast<int64_t>(std::floor(static_cast<float>(v))); }

template <class T>
void fill(Table& t, Filter filter, bool align_corners, double given, bool planar) {
  T scale;
  if (align_corners)
    scale = t.out > 1 ? static_cast<T>(t.in - 1) / static_cast<T>(t.out - 1) : T(0);
  else
    scale = given > 0 ? static_cast<T>(1.0 / given) : static_cast<T>(t.in) / static_cast<T>(t.out);
  if (filter >= Filter::linear_aa) return antialiased<T>(t, filter, scale);
  Builder build(t, filter == Filter::cubic ? 4 : filter == Filter::linear ? 2 : 1);
  if (filter == Filter::linear && t.in == t.out) {
    t.identity = true;
    for (int64_t o = 0; o < t.out; ++o, build.next()) build.add(o, 1);
    return;
  }
  for (int64_t o = 0; o < t.out; ++o, build.next()) {
    const T place = static_cast<T>(o), middle = scale * (place + T(0.5)) - T(0.5);
    switch (filter) {
      case Filter::nearest: build.add(floor_of(place * scale), 1); break;
      case Filter::nearest_exact: {
        // scale * (place + 0.5) - 0.5, rounded once, + 0.5
        const double exact = static_cast<double>(scale) * (static_cast<double>(place) + 0.5);
        const bool direct = planar || sizeof(T) == 8;
        build.add(direct ? floor_of(exact) : floor_of(static_cast<float>(exact - 0.5) + 0.5f), 1);
        break;
      }
      case Filter::linear: {
        const T real = align_corners ? scale * place : std::max(middle, T(0));
        const int64_t i = std::min<int64_t>(static_cast<int64_t>(real), t.in - 1);
        const T part = std::clamp(real - static_cast<T>(i), T(0), T(1));
        build.add(i, static_cast<double>(T(1) - part));
        build.add(i + 1, static_cast<double>(part));
        break;
      }
      default: {
        const T real = align_corners ? scale * place : middle;
        const int64_t i = std::min<int64_t>(static_cast<int64_t>(std::floor(real)), t.in - 1);
        const double part = std::clamp(static_cast<double>(real - static_cast<T>(i)), 0.0, 1.0);
        for (int64_t k = -1; k <= 2; ++k) build.add(i + k, cubic(static_cast<double>(k) - part, -0.75));
      }
    }
  }
}

// --- one axis --------------------------------------------------------------------------------------------------------------

int64_t grain(int64_t work) { return std::max<int64_t>(1, 16384 / std::max<int64_t>(work, 1)); }

// to[0, n) = the sum of weight[k] * x[at[k] * n], ... for all terms k.
template <class T>
void sum_rows(const T* x, const int64_t* at, const T* weight, int64_t terms, int64_t n, T* __restrict to) {
  if (terms == 1 && weight[0] == T(1)) {
    std::copy(x + at[0] * n, x + at[0] * n + n, to);
    return;
  }
  if (terms == 2) {
    const T *a = x + at[0] * n, *b = x + at[1] * n, u = weight[0], v = weight[1];
    for (int64_t i = 0; i < n; ++i) to[i] = a[i] * u + b[i] * v;
    return;
  }
  std::fill(to, to + n, T(0));
  for (int64_t k = 0; k < terms; ++k) {
    const T *a = x + at[k] * n, u = weight[k];
    for (int64_t i = 0; i < n; ++i) to[i] += a[i] * u;
  }
}

template <class T>
void apply_floating(const T* x, int64_t outer, const Table& t, int64_t inner, T* to) {
  std::vector<T> weight(t.weight.begin(), t.weight.end());
  const int64_t terms = static_cast<int64_t>(t.at.size());
  if (inner > 1) {
    parallel_for(outer * t.out, grain(inner * (terms / t.out + 1)), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const int64_t p = r / t.out, o = r % t.out, k = t.first[static_cast<size_t>(o)];
        sum_rows(x + p * t.in * inner, t.at.data() + k, weight.data() + k, t.first[static_cast<size_t>(o + 1)] - k,
                 inner, to + r * inner);
      }
    });
    return;
  }
  const bool moved = terms == t.out && std::ranges::all_of(weight, [](T w) { return w == T(1); });
  if (moved) {  // each result is one element as it is
    const int64_t times = t.out / t.in;
    bool repeated = t.out % t.in == 0;
    for (int64_t o = 0; repeated && o < t.out; ++o) repeated = t.at[static_cast<size_t>(o)] == o / times;
    parallel_for(outer, grain(t.out), [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) {
        const T* __restrict from = x + p * t.in;
        T* __restrict row = to + p * t.out;
        const int64_t* at = t.at.data();
        if (repeated && times == 2) {
          for (int64_t i = 0, n = t.in; i < n; ++i) row[2 * i] = row[2 * i + 1] = from[i];
        } else {
          for (int64_t o = 0, n = t.out; o < n; ++o) row[o] = from[at[o]];
        }
      }
    });
    return;
  }
  // All results with the same number of terms (but at the borders of antialiasing): a loop the compiler unrolls.
  const bool pairs = terms == 2 * t.out &&
                     std::ranges::all_of(t.first, [&](const int64_t& f) { return f == 2 * (&f - t.first.data()); });
  parallel_for(outer, grain(terms + t.out), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      const T* from = x + p * t.in;
      T* __restrict row = to + p * t.out;
      const int64_t* at = t.at.data();
      const T* w = weight.data();
      if (pairs) {
        for (int64_t o = 0; o < t.out; ++o) row[o] = from[at[2 * o]] * w[2 * o] + from[at[2 * o + 1]] * w[2 * o + 1];
        continue;
      }
      for (int64_t o = 0; o < t.out; ++o) {
        T sum = 0;
        for (int64_t k = t.first[static_cast<size_t>(o)]; k < t.first[static_cast<size_t>(o + 1)]; ++k)
          sum += from[at[k]] * w[k];
        row[o] = sum;
      }
    }
  });
}

// Bytes: weights with as many binary places as fit 16 bits, sums rounded to bytes.
void apply_bytes(const uint8_t* x, int64_t outer, const Table& given, int64_t inner, uint8_t* to) {
  // At the borders several terms are the same element.
  Table t;
  t.in = given.in;
  t.out = given.out;
  t.first.push_back(0);
  for (size_t o = 0; o < static_cast<size_t>(t.out); ++o) {
    for (size_t k = static_cast<size_t>(given.first[o]); k < static_cast<size_t>(given.first[o + 1]); ++k) {
      if (static_cast<int64_t>(t.at.size()) > t.first.back() && t.at.back() == given.at[k]) {
        t.weight.back() += given.weight[k];
      } else {
        t.at.push_back(given.at[k]);
        t.weight.push_back(given.weight[k]);
      }
    }
    t.first.push_back(static_cast<int64_t>(t.at.size()));
  }
  double largest = 0;
  for (double w : t.weight) largest = std::max(largest, w);
  int places = 0;
  while (places < 22 && static_cast<int64_t>(0.5 + largest * static_cast<double>(int64_t{1} << (places + 1))) < 1 << 15)
    ++places;
  std::vector<int32_t> weight(t.weight.size());
  const double unit = static_cast<double>(int64_t{1} << places);
  for (size_t k = 0; k < weight.size(); ++k)
    weight[k] = static_cast<int32_t>(t.weight[k] < 0 ? t.weight[k] * unit - 0.5 : t.weight[k] * unit + 0.5);
  const int32_t half = places > 0 ? 1 << (places - 1) : 0;
  parallel_for(outer * t.out, grain(inner * 4), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const int64_t p = r / t.out;
      const size_t o = static_cast<size_t>(r % t.out);
      for (int64_t i = 0; i < inner; ++i) {
        int32_t sum = half;
        for (int64_t k = t.first[o]; k < t.first[o + 1]; ++k)
          sum += weight[static_cast<size_t>(k)] * x[(p * t.in + t.at[static_cast<size_t>(k)]) * inner + i];
        to[r * inner + i] = static_cast<uint8_t>(std::clamp(sum >> places, 0, 255));
      }
    }
  });
}

}  // namespace

Table table(Filter filter, int64_t in, int64_t out, bool align_corners, double scale, bool narrow, bool planar) {
  Table t;
  t.in = in;
  t.out = out;
  if (narrow)
    fill<float>(t, filter, align_corners, scale, planar);
  else
    fill<double>(t, filter, align_corners, scale, planar);
  return t;
}

Table Table::transposed() const {
  Table t;
  t.in = out;
  t.out = in;
  t.identity = identity;
  t.first.assign(static_cast<size_t>(in + 1), 0);
  t.at.resize(at.size());
  t.weight.resize(at.size());
  for (int64_t i : at) ++t.first[static_cast<size_t>(i + 1)];
  for (size_t i = 0; i < static_cast<size_t>(in); ++i) t.first[i + 1] += t.first[i];
  std::vector<int64_t> next(t.first.begin(), t.first.end() - 1);
  for (int64_t o = 0; o < out; ++o)
    for (int64_t k = first[static_cast<size_t>(o)]; k < first[static_cast<size_t>(o + 1)]; ++k) {
      const size_t to = static_cast<size_t>(next[static_cast<size_t>(at[static_cast<size_t>(k)])]++);
      t.at[to] = o;
      t.weight[to] = weight[static_cast<size_t>(k)];
    }
  return t;
}

void apply(DType dtype, const void* x, int64_t outer, const Table& t, int64_t inner, void* to) {
  if (outer * inner == 0 || t.out == 0) return;
  switch (dtype) {
    case DType::F32: return apply_floating(static_cast<const float*>(x), outer, t, inner, static_cast<float*>(to));
    case DType::F64: return apply_floating(static_cast<const double*>(x), outer, t, inner, static_cast<double*>(to));
    case DType::U8: return apply_bytes(static_cast<const uint8_t*>(x), outer, t, inner, static_cast<uint8_t*>(to));
    default: return;
  }
}

// --- grids -----------------------------------------------------------------------------------------------------------------

namespace {

// A coordinate in elements, and by how much it moves with the grid's.
template <class T>
struct Place {
  T at, slope;
};

template <class T>
Place<T> clipped(Place<T> p, int64_t size) {
  const T last = static_cast<T>(size - 1);
  if (!(p.at > 0)) return {T(0), T(0)};
  if (p.at >= last) return {last, T(0)};
  return p;
}

// Mirrored between low / 2 and high / 2 until it lies there.
template <class T>
Place<T> reflected(Place<T> p, int64_t low, int64_t high) {
  if (low == high) return {T(0), T(0)};
  const T start = static_cast<T>(low) / 2, span = static_cast<T>(high - low) / 2;
  T at = p.at - start;
  T sign = p.slope;
  if (at < 0) {
    at = -at;
    sign = -sign;
  }
  const T rest = std::fmod(at, span), flips = std::floor(at / span);
  if (std::fmod(flips, T(2)) == 0) return {rest + start, sign};
  return {span - rest + start, -sign};
}

template <class T>
Place<T> padded(Place<T> p, int64_t size, const Grid& g) {
  if (g.padding == Padding::border) return clipped(p, size);
  if (g.padding == Padding::reflection) {
    p = g.align_corners ? reflected(p, 0, 2 * (size - 1)) : reflected(p, -1, 2 * size - 1);
    return clipped(p, size);
  }
  return p;
}

template <class T>
Place<T> placed(T coordinate, int64_t size, const Grid& g) {
  if (g.align_corners) {
    const T slope = static_cast<T>(size - 1) / 2;
    return {(coordinate + 1) * slope, slope};
  }
  return {((coordinate + 1) * static_cast<T>(size) - 1) / 2, static_cast<T>(size) / 2};
}

// What is not a number or far out is out, whichever way it is rounded.
template <class T>
int64_t whole(T v) {
  return std::abs(v) < T(1e9) ? static_cast<int64_t>(v) : -100;
}

// Up to 16 elements of a plane that a result is the weighted sum of, and how the weights move with each coordinate.
template <class T>
struct Terms {
  int count = 0;
  int64_t at[16];
  T weight[16];
  T slope[3][16];
};

template <class T>
T cubic_slope(T x, T a) {  // of cubic(x) for x >= 0
  if (x <= 1) return (3 * (a + 2) * x - 2 * (a + 3)) * x;
  if (x < 2) return (3 * a * x - 10 * a) * x + 8 * a;
  return 0;
}

template <class T>
void bicubic_terms(const T* grid, const Grid& g, Terms<T>& t) {
  const int64_t h = g.in[1], w = g.in[2];
  const Place<T> x = placed(grid[0], w, g), y = placed(grid[1], h, g);
  const T x0 = std::floor(x.at), y0 = std::floor(y.at), tx = x.at - x0, ty = y.at - y0;
  T wx[4], wy[4], sx[4], sy[4];
  int64_t ix[4], iy[4];
  for (int k = 0; k < 4; ++k) {
    const T dx = tx - static_cast<T>(k - 1), dy = ty - static_cast<T>(k - 1);
    wx[k] = static_cast<T>(cubic(static_cast<double>(dx), -0.75));
    wy[k] = static_cast<T>(cubic(static_cast<double>(dy), -0.75));
    sx[k] = (dx < 0 ? -1 : 1) * cubic_slope(std::abs(dx), T(-0.75)) * x.slope;
    sy[k] = (dy < 0 ? -1 : 1) * cubic_slope(std::abs(dy), T(-0.75)) * y.slope;
    ix[k] = whole(padded(Place<T>{x0 + static_cast<T>(k - 1), T(1)}, w, g).at);
    iy[k] = whole(padded(Place<T>{y0 + static_cast<T>(k - 1), T(1)}, h, g).at);
  }
  t.count = 0;
  for (int j = 0; j < 4; ++j)
    for (int i = 0; i < 4; ++i) {
      if (ix[i] < 0 || ix[i] >= w || iy[j] < 0 || iy[j] >= h) continue;
      const int k = t.count++;
      t.at[k] = iy[j] * w + ix[i];
      t.weight[k] = wx[i] * wy[j];
      t.slope[0][k] = sx[i] * wy[j];
      t.slope[1][k] = wx[i] * sy[j];
    }
}

template <class T>
void terms_of(const T* grid, const Grid& g, Terms<T>& t) {
  if (g.mode == Mode::bicubic) return bicubic_terms(grid, g, t);
  t.count = 0;
  Place<T> p[3];
  int64_t base[3], size[3], step[3];
  int64_t stride = 1;
  for (int a = 0; a < g.axes; ++a) {  // x, y, z: the last axis first
    size[a] = g.in[2 - a];
    step[a] = stride;
    stride *= size[a];
    p[a] = padded(placed(grid[a], size[a], g), size[a], g);
    base[a] = whole(g.mode == Mode::nearest ? std::nearbyint(p[a].at) : std::floor(p[a].at));
  }
  if (g.mode == Mode::nearest) {
    int64_t at = 0;
    for (int a = 0; a < g.axes; ++a) {
      if (base[a] < 0 || base[a] >= size[a]) return;
      at += base[a] * step[a];
    }
    t.count = 1;
    t.at[0] = at;
    t.weight[0] = 1;
    for (int a = 0; a < g.axes; ++a) t.slope[a][0] = 0;
    return;
  }
  for (int corner = 0; corner < 1 << g.axes; ++corner) {
    int64_t at = 0;
    T weight = 1, slope[3] = {1, 1, 1};
    bool inside = true;
    for (int a = 0; a < g.axes; ++a) {
      const int up = corner >> a & 1;
      const int64_t i = base[a] + up;
      inside &= i >= 0 && i < size[a];
      at += i * step[a];
      const T part = p[a].at - static_cast<T>(base[a]), w = up ? part : 1 - part;
      weight *= w;
      for (int b = 0; b < g.axes; ++b) slope[b] *= a == b ? (up ? p[a].slope : -p[a].slope) : w;
    }
    if (!inside) continue;
    const int k = t.count++;
    t.at[k] = at;
    t.weight[k] = weight;
    for (int a = 0; a < g.axes; ++a) t.slope[a][k] = slope[a];
  }
}

int64_t volume(const int64_t* sizes, int axes) {
  int64_t n = 1;
  for (int a = 3 - axes; a < 3; ++a) n *= sizes[a];
  return n;
}

// Bilinear in planes, the most usual case, without tables of terms.
template <class T>
void sample_plane(const T* x, const T* grid, const Grid& g, T* out) {
  const int64_t h = g.in[1], w = g.in[2], ins = h * w, outs = volume(g.out, 2);
  parallel_for(g.batch * outs, grain(8 * (g.channels + 2)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t n = i / outs, o = i % outs;
      const T px = padded(placed(grid[2 * i], w, g), w, g).at, py = padded(placed(grid[2 * i + 1], h, g), h, g).at;
      const int64_t left = whole(std::floor(px)), top = whole(std::floor(py));
      const T u = px - static_cast<T>(left), v = py - static_cast<T>(top);
      const T* plane = x + n * g.channels * ins + top * w + left;
      T* to = out + n * g.channels * outs + o;
      if (left >= 0 && left + 1 < w && top >= 0 && top + 1 < h) {
        const T a = (1 - u) * (1 - v), b = u * (1 - v), c = (1 - u) * v, d = u * v;
        for (int64_t k = 0; k < g.channels; ++k, plane += ins, to += outs)
          *to = plane[0] * a + plane[1] * b + plane[w] * c + plane[w + 1] * d;
        continue;
      }
      const bool l = left >= 0 && left < w, r = left + 1 >= 0 && left + 1 < w, t = top >= 0 && top < h,
                 b = top + 1 >= 0 && top + 1 < h;
      for (int64_t k = 0; k < g.channels; ++k, plane += ins, to += outs) {
        T sum = 0;
        if (t && l) sum += plane[0] * ((1 - u) * (1 - v));
        if (t && r) sum += plane[1] * (u * (1 - v));
        if (b && l) sum += plane[w] * ((1 - u) * v);
        if (b && r) sum += plane[w + 1] * (u * v);
        *to = sum;
      }
    }
  });
}

template <class T>
void sample_any(const T* x, const T* grid, const Grid& g, T* out) {
  if (g.axes == 2 && g.mode == Mode::bilinear) return sample_plane(x, grid, g, out);
  const int64_t ins = volume(g.in, g.axes), outs = volume(g.out, g.axes);
  parallel_for(g.batch * outs, grain(8 * (g.channels + 2)), [&](int64_t begin, int64_t end) {
    Terms<T> t;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t n = i / outs, o = i % outs;
      terms_of(grid + i * g.axes, g, t);
      for (int64_t c = 0; c < g.channels; ++c) {
        const T* plane = x + (n * g.channels + c) * ins;
        T sum = 0;
        for (int k = 0; k < t.count; ++k) sum += plane[t.at[k]] * t.weight[k];
        out[(n * g.channels + c) * outs + o] = sum;
      }
    }
  });
}

// The same where all four neighbours of a place lie inside; false elsewhere.
template <class T>
bool sample_plane_backward(const T* grad, int64_t outs, const T* x, const T* grid, const Grid& g, T* dx, T* dgrid) {
  const int64_t h = g.in[1], w = g.in[2], ins = h * w;
  const Place<T> px = padded(placed(grid[0], w, g), w, g), py = padded(placed(grid[1], h, g), h, g);
  const int64_t left = whole(std::floor(px.at)), top = whole(std::floor(py.at));
  if (left < 0 || left + 1 >= w || top < 0 || top + 1 >= h) return false;
  const T u = px.at - static_cast<T>(left), v = py.at - static_cast<T>(top);
  const int64_t at = top * w + left;
  T slope_x = 0, slope_y = 0;
  for (int64_t c = 0; c < g.channels; ++c) {
    const T *p = x + c * ins + at, value = grad[c * outs];
    slope_x += value * ((p[1] - p[0]) * (1 - v) + (p[w + 1] - p[w]) * v);
    slope_y += value * ((p[w] - p[0]) * (1 - u) + (p[w + 1] - p[1]) * u);
    if (dx == nullptr) continue;
    T* to = dx + c * ins + at;
    to[0] += value * ((1 - u) * (1 - v));
    to[1] += value * (u * (1 - v));
    to[w] += value * ((1 - u) * v);
    to[w + 1] += value * (u * v);
  }
  if (dgrid != nullptr) {
    dgrid[0] = slope_x * px.slope;
    dgrid[1] = slope_y * py.slope;
  }
  return true;
}

template <class T>
void sample_any_backward(const T* grad, const T* x, const T* grid, const Grid& g, T* dx, T* dgrid) {
  const int64_t ins = volume(g.in, g.axes), outs = volume(g.out, g.axes);
  const bool plain = g.axes == 2 && g.mode == Mode::bilinear;
  // Results may share elements of the input, so that a sample is one thread's.
  parallel_for(g.batch, 1, [&](int64_t begin, int64_t end) {
    Terms<T> t;
    for (int64_t i = begin * outs; i < end * outs; ++i) {
      const int64_t n = i / outs, o = i % outs, from = n * g.channels * ins;
      if (plain && sample_plane_backward(grad + n * g.channels * outs + o, outs, x + from, grid + 2 * i, g,
                                         dx ? dx + from : nullptr, dgrid ? dgrid + 2 * i : nullptr))
        continue;
      terms_of(grid + i * g.axes, g, t);
      T slope[3] = {0, 0, 0};
      for (int64_t c = 0; c < g.channels; ++c) {
        const int64_t plane = (n * g.channels + c) * ins;
        const T v = grad[(n * g.channels + c) * outs + o];
        for (int k = 0; k < t.count; ++k) {
          if (dx != nullptr) dx[plane + t.at[k]] += v * t.weight[k];
          for (int a = 0; a < g.axes; ++a) slope[a] += v * x[plane + t.at[k]] * t.slope[a][k];
        }
      }
      if (dgrid != nullptr) std::copy(slope, slope + g.axes, dgrid + i * g.axes);
    }
  });
}

template <class T>
void places_any(const T* grid, const Grid& g, T* parts, T* slopes, int64_t* at) {
  const int64_t points = g.batch * volume(g.out, g.axes);
  const int each = terms_per_axis(g), terms = g.axes == 2 ? each * each : each * each * each;
  for (int64_t i = 0; i < points; ++i) {
    int64_t index[3][4];
    for (int a = 0; a < g.axes; ++a) {
      const int64_t size = g.in[2 - a];
      Place<T> p = placed(grid[i * g.axes + a], size, g);
      if (g.mode != Mode::bicubic) p = padded(p, size, g);
      const T base = g.mode == Mode::nearest ? std::nearbyint(p.at) : std::floor(p.at);
      for (int k = 0; k < each; ++k) {
        T place = base + static_cast<T>(each == 4 ? k - 1 : k);
        if (g.mode == Mode::bicubic) place = padded(Place<T>{place, T(1)}, size, g).at;
        index[a][k] = whole(place);
        if (index[a][k] < 0 || index[a][k] >= size) index[a][k] = -1;
      }
      parts[a * points + i] = p.at - base;
      slopes[a * points + i] = p.slope;
    }
    for (int j = 0; j < terms; ++j) {
      int64_t place = 0, step = 1;
      for (int a = 0, rest = j; a < g.axes; ++a, rest /= each) {
        const int64_t k = index[a][rest % each];
        place = k < 0 || place < 0 ? -1 : place + k * step;
        step *= g.in[2 - a];
      }
      at[j * points + i] = place;
    }
  }
}

}  // namespace

int terms_per_axis(const Grid& g) { return g.mode == Mode::nearest ? 1 : g.mode == Mode::bilinear ? 2 : 4; }

void places(DType dtype, const void* grid, const Grid& g, void* parts, void* slopes, int64_t* at) {
  if (dtype == DType::F64)
    places_any(static_cast<const double*>(grid), g, static_cast<double*>(parts), static_cast<double*>(slopes), at);
  else
    places_any(static_cast<const float*>(grid), g, static_cast<float*>(parts), static_cast<float*>(slopes), at);
}

void sample(DType dtype, const void* x, const void* grid, const Grid& g, void* out) {
  if (dtype == DType::F64)
    sample_any(static_cast<const double*>(x), static_cast<const double*>(grid), g, static_cast<double*>(out));
  else
    sample_any(static_cast<const float*>(x), static_cast<const float*>(grid), g, static_cast<float*>(out));
}

void sample_backward(DType dtype, const void* grad, const void* x, const void* grid, const Grid& g, void* dx,
                     void* dgrid) {
  if (dtype == DType::F64)
    sample_any_backward(static_cast<const double*>(grad), static_cast<const double*>(x),
                        static_cast<const double*>(grid), g, static_cast<double*>(dx), static_cast<double*>(dgrid));
  else
    sample_any_backward(static_cast<const float*>(grad), static_cast<const float*>(x), static_cast<const float*>(grid),
                        g, static_cast<float*>(dx), static_cast<float*>(dgrid));
}

}  // namespace rl::resample
