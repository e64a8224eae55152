// A convolution of every channel by itself with the channels in the lanes: planes are turned around (16 channels of a
// position side by side) piece by piece in the cache, and results turned back. Kernels and maps of any size fill the lanes
// so, and every multiplication reads one aligned vector.
#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "kernels/conv.h"
#include "kernels/cpu/conv_turn.h"
#include "kernels/cpu/gemm_tiles.h"
#include "runtime/parallel.h"

namespace rl::cpu::RL_ISA {
namespace {

#include "kernels/cpu/gemm_micro.h"

using V = Vec<float>;
constexpr int L = kLanes<float>;

constexpr int64_t kLine = 16;        // channels side by side
constexpr int64_t kPiece = 1 << 15;  // elements turned around at once
constexpr int kAtOnce = 8;           // results whose sums are in registers
constexpr int64_t kMaxParts = 8;     // of a sum over images, for threads to share
constexpr int kTaps = 3;             // along an axis of the kernels whose gradient is here
constexpr int64_t kSums = kTaps * kTaps * kLine;

struct Buffers {
  Scratch shared, own;  // by all threads; by one
};
// Behind a pointer: a thread's own memory is scarce in a library that is loaded late (allocator.h: RL_FAST_TLS).
Buffers& buffers() {
  static thread_local const std::unique_ptr<Buffers> b = std::make_unique<Buffers>();
  return *b;
}

// Channels [c0, c0 + 16) of an image, rows [row, row + rows) of it, with a border on both sides.
void turn_rows(const float* x, const float* end, const int64_t* size, int64_t channels, int64_t row, int64_t rows,
               int64_t left, int64_t width, float* out) {
  turn(
      {size[0], size[1], row, -left, rows, width, kLine, std::min(kLine, channels), end},
      [&](int64_t i) { return x + i * size[0] * size[1]; }, out);
}

// C adjacent results, each step S in the input: `ny` rows of `nx` taps.
template <int C, int S>
void sums_of(const float* x, int64_t pitch, int64_t ny, int64_t nx, const float* w, const float* bias, float* out,
             int64_t apart) {
  for (int64_t v = 0; v < kLine; v += L) {
    V acc[C];
#pragma GCC unroll 8
    for (int i = 0; i < C; ++i) acc[i] = load(bias + v);
    const float* by = w + v;
    for (int64_t y = 0; y < ny; ++y) {
      const float* at = x + y * pitch + v;
      for (int64_t t = 0; t < nx; ++t, at += kLine, by += kLine) {
        const V factor = load(by);
#pragma GCC unroll 8
        for (int i = 0; i < C; ++i) acc[i] = fma(factor, load(at + i * S * kLine), acc[i]);
      }
    }
#pragma GCC unroll 8
    for (int i = 0; i < C; ++i) store(out + i * apart + v, acc[i]);
  }
}
using SumsFn = void (*)(const float*, int64_t, int64_t, int64_t, const float*, const float*, float*, int64_t);
template <int S, int... I> constexpr std::array<SumsFn, sizeof...(I)> sums_table(std::integer_sequence<int, I...>) {
  return {&sums_of<I + 1, S>...};
}
constexpr std::array<std::array<SumsFn, kAtOnce>, 2> kSumsOf = {
    sums_table<1>(std::make_integer_sequence<int, kAtOnce>{}),
    sums_table<2>(std::make_integer_sequence<int, kAtOnce>{})};

// Along an axis, results begin, begin + step, ...: of the i-th the first tap sees element i * stride + first.
struct Pass {
  int64_t begin, step, count, stride, first, taps;
  int64_t first_tap, tap_step;  // which taps of the kernel these are
};

class Product {
 public:
  Product(const ConvPlanes& c, bool backwards, const float* x, const float* w, const float* bias, float* out)
      : c_(c), x_(x), w_(w), bias_(bias), out_(out), from_(backwards ? c.out : c.in), to_(backwards ? c.in : c.out) {
    int64_t right = 0;
    step_ = backwards ? c.stride : 1;
    for (int axis = 0; axis < 2; ++axis)
      for (int64_t f = 0; f < step_; ++f) {
        Pass p{0, 1, c.out[axis], c.stride, -c.pad[axis], c.kernel[axis], 0, 1};
        if (backwards) {
          const int64_t low = (f + c.pad[axis]) % c.stride, taps = (c.kernel[axis] - low + c.stride - 1) / c.stride;
          const int64_t high = low + (taps - 1) * c.stride;
          p = {f,    c.stride, (c.in[axis] - f + c.stride - 1) / c.stride, 1, (f + c.pad[axis] - high) / c.stride, taps,
               high, -c.stride};
        }
        passes_[axis][f] = p;
        if (axis == 0) continue;
        left_ = std::max(left_, -p.first);
        right = std::max(right, (p.count - 1) * p.stride + p.first + p.taps - from_[1]);
      }
    width_ = left_ + from_[1] + right;
  }

  void run() {
    const int64_t blocks = (c_.channels + kLine - 1) / kLine, taps = c_.kernel[0] * c_.kernel[1];
    float* weights = buffers().shared.get<float>(blocks * (taps + 1) * kLine);
    for (int64_t b = 0; b < blocks; ++b) pack_weights(b, weights + b * (taps + 1) * kLine);
    int64_t rows = std::max<int64_t>(kPiece / (std::max(to_[1], width_ * passes_[0][0].stride) * kLine), 1);
    const int64_t shares = (4 * num_threads() + c_.images * blocks - 1) / (c_.images * blocks);
    rows = std::min(rows, std::max<int64_t>(to_[0] / shares, 4));
    rows = std::min((rows + step_ - 1) / step_ * step_, to_[0]);
    const int64_t pieces = (to_[0] + rows - 1) / rows, work = rows * to_[1] * (taps + 8);
    parallel_for(c_.images * blocks * pieces, 1 + (1 << 16) / work, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        const int64_t b = item / pieces % blocks, r0 = item % pieces * rows;
        piece(item / pieces / blocks, b, r0, std::min(r0 + rows, to_[0]), weights + b * (taps + 1) * kLine);
      }
    });
  }

 private:
  // The bias, then by passes the taps in the order of what they see.
  void pack_weights(int64_t block, float* out) const {
    const int64_t count = c_.kernel[0] * c_.kernel[1], lanes = std::min(kLine, c_.channels - block * kLine);
    const float* w = w_ + block * kLine * count;
    for (int64_t i = 0; i < kLine; ++i) out[i] = bias_ && i < lanes ? bias_[block * kLine + i] : 0.0f;
    out += kLine;
    for (int64_t py = 0; py < step_; ++py)
      for (int64_t px = 0; px < step_; ++px) {
        const Pass &a = passes_[0][py], &b = passes_[1][px];
        for (int64_t y = 0; y < a.taps; ++y)
          for (int64_t x = 0; x < b.taps; ++x, out += kLine) {
            const float* at = w + (a.first_tap + y * a.tap_step) * c_.kernel[1] + b.first_tap + x * b.tap_step;
            for (int64_t i = 0; i < kLine; ++i) out[i] = i < lanes ? at[i * count] : 0.0f;
          }
      }
  }

  void piece(int64_t image, int64_t block, int64_t r0, int64_t r1, const float* weights) const {
    // The rows that some result sees.
    int64_t top = from_[0], bottom = 0;
    for (int64_t f = 0; f < step_; ++f) {
      const Pass& p = passes_[0][f];
      top = std::min(top, (r0 / step_) * p.stride + p.first);
      bottom = std::max(bottom, (r1 - 1) / step_ * p.stride + p.first + p.taps);
    }
    top = std::clamp<int64_t>(top, 0, from_[0]), bottom = std::clamp<int64_t>(bottom, top, from_[0]);
    const int64_t pitch = width_ * kLine, turned_size = (bottom - top) * pitch;
    float* turned = buffers().own.get<float>(turned_size + ((r1 - r0) * to_[1] + L) * kLine);
    float* results = turned + turned_size;
    const int64_t lanes = std::min(kLine, c_.channels - block * kLine), plane = from_[0] * from_[1];
    turn_rows(x_ + (image * c_.channels + block * kLine) * plane, x_ + c_.images * c_.channels * plane, from_, lanes,
              top, bottom - top, left_, width_, turned);
    const float *bias = weights, *w = weights + kLine;
    for (int64_t py = 0; py < step_; ++py)
      for (int64_t px = 0; px < step_; ++px) {
        const Pass &a = passes_[0][py], &b = passes_[1][px];
        for (int64_t row = r0 + py; row < r1; row += step_) {
          const int64_t first = row / step_ * a.stride + a.first;
          const int64_t y0 = std::max<int64_t>(-first, 0), y1 = std::max(std::min(a.taps, from_[0] - first), y0);
          const float* at = turned + (first + y0 - top) * pitch + (left_ + b.first) * kLine;
          float* o = results + ((row - r0) * to_[1] + b.begin) * kLine;
          const int64_t turns = (b.count + kAtOnce - 1) / kAtOnce;
          for (int64_t q = 0; q < turns; ++q) {
            const int64_t i0 = b.count * q / turns, n = b.count * (q + 1) / turns - i0;
            kSumsOf[static_cast<size_t>(b.stride - 1)][static_cast<size_t>(n - 1)](
                at + i0 * b.stride * kLine, pitch, y1 - y0, b.taps, w + y0 * b.taps * kLine, bias,
                o + i0 * b.step * kLine, b.step * kLine);
          }
        }
        w += a.taps * b.taps * kLine;
      }
    turn_back(results, kLine, lanes, (r1 - r0) * to_[1], to_[0] * to_[1],
              out_ + ((image * c_.channels + block * kLine) * to_[0] + r0) * to_[1]);
  }

  const ConvPlanes& c_;
  const float *x_, *w_, *bias_;
  float* out_;
  const int64_t *from_, *to_;
  int64_t step_ = 1, left_ = 0, width_ = 0;
  Pass passes_[2][2];
};

// One row of results' gradients, added to the sums of NY rows of taps.
template <int NY, int S>
void add_row(const float* x, int64_t pitch, const float* g, int64_t count, float* sums) {
  for (int64_t v = 0; v < kLine; v += L) {
    V acc[NY][kTaps];
#pragma GCC unroll 3
    for (int y = 0; y < NY; ++y)
#pragma GCC unroll 3
      for (int t = 0; t < kTaps; ++t) acc[y][t] = load(sums + (y * kTaps + t) * kLine + v);
    const float* at = x + v;
    for (int64_t i = 0; i < count; ++i, at += S * kLine) {
      const V by = load(g + i * kLine + v);
#pragma GCC unroll 3
      for (int y = 0; y < NY; ++y)
#pragma GCC unroll 3
        for (int t = 0; t < kTaps; ++t) acc[y][t] = fma(by, load(at + y * pitch + t * kLine), acc[y][t]);
    }
#pragma GCC unroll 3
    for (int y = 0; y < NY; ++y)
#pragma GCC unroll 3
      for (int t = 0; t < kTaps; ++t) store(sums + (y * kTaps + t) * kLine + v, acc[y][t]);
  }
}
using RowFn = void (*)(const float*, int64_t, const float*, int64_t, float*);
constexpr RowFn kAddRow[2][kTaps] = {{&add_row<1, 1>, &add_row<2, 1>, &add_row<3, 1>},
                                     {&add_row<1, 2>, &add_row<2, 2>, &add_row<3, 2>}};

// Tasks are blocks of channels; where these are few, parts of the images as well, whose number depends on the shape alone.
void weight_gradient(const ConvPlanes& c, const float* x, const float* g, float* dw) {
  const int64_t blocks = (c.channels + kLine - 1) / kLine, width = c.stride * (c.out[1] - 1) + kTaps;
  const int64_t wide = std::max(width, c.pad[1] + c.in[1]), pitch = wide * kLine;
  const int64_t rows = std::clamp<int64_t>(kPiece / (pitch * c.stride), 1, c.out[0]);
  const int64_t pieces = (c.out[0] + rows - 1) / rows, units = c.images * pieces;
  const int64_t parts = blocks >= kMaxParts ? 1 : std::min(kMaxParts, units);
  float* partial = buffers().shared.get<float>(blocks * parts * kSums);
  const int64_t work = units * rows * c.out[1] * 24 / parts, in = c.in[0] * c.in[1], out = c.out[0] * c.out[1];
  parallel_for(blocks * parts, 1 + (1 << 16) / work, [&](int64_t begin, int64_t end) {
    const int64_t turned_size = ((rows - 1) * c.stride + kTaps) * pitch;
    float* turned = buffers().own.get<float>(turned_size + rows * c.out[1] * kLine);
    float* gradient = turned + turned_size;
    for (int64_t item = begin; item < end; ++item) {
      const int64_t c0 = item / parts * kLine, part = item % parts, lanes = c.channels - c0;
      float* total = partial + item * kSums;
      std::fill(total, total + kSums, 0.0f);
      for (int64_t unit = units * part / parts; unit < units * (part + 1) / parts; ++unit) {
        const int64_t image = unit / pieces, r0 = unit % pieces * rows, r1 = std::min(r0 + rows, c.out[0]);
        const int64_t top = std::clamp<int64_t>(r0 * c.stride - c.pad[0], 0, c.in[0]);
        const int64_t bottom = std::clamp<int64_t>((r1 - 1) * c.stride - c.pad[0] + kTaps, top, c.in[0]);
        turn_rows(x + (image * c.channels + c0) * in, x + c.images * c.channels * in, c.in, lanes, top, bottom - top,
                  c.pad[1], wide, turned);
        turn_rows(g + (image * c.channels + c0) * out, g + c.images * c.channels * out, c.out, lanes, r0, r1 - r0, 0,
                  c.out[1], gradient);
        alignas(64) float sums[kSums] = {};
        for (int64_t row = r0; row < r1; ++row) {
          const int64_t first = row * c.stride - c.pad[0], y0 = std::max<int64_t>(-first, 0);
          const int64_t y1 = std::min<int64_t>(kTaps, c.in[0] - first);
          if (y1 > y0)
            kAddRow[c.stride - 1][y1 - y0 - 1](turned + (first + y0 - top) * pitch, pitch,
                                               gradient + (row - r0) * c.out[1] * kLine, c.out[1],
                                               sums + y0 * kTaps * kLine);
        }
        for (int64_t i = 0; i < kSums; i += L) store(total + i, load(total + i) + load(sums + i));
      }
    }
  });
  for (int64_t channel = 0; channel < c.channels; ++channel)
    for (int64_t t = 0; t < kTaps * kTaps; ++t) {
      const float* from = partial + channel / kLine * parts * kSums + t * kLine + channel % kLine;
      float sum = *from;
      for (int64_t part = 1; part < parts; ++part) sum += from[part * kSums];
      dw[channel * kTaps * kTaps + t] = sum;
    }
}

void product(const ConvPlanes& c, const float* x, const float* w, const float* bias, float* out) {
  Product(c, false, x, w, bias, out).run();
}
void spread(const ConvPlanes& c, const float* g, const float* w, const float* bias, float* out) {
  Product(c, true, g, w, bias, out).run();
}

}  // namespace

extern const ConvPlanesTable conv_planes_table = {product, spread, weight_gradient};

}  // namespace rl::cpu::RL_ISA
