// Convolution by kernels of 3 or 4 taps a side with stride 2. Every other tap makes a kernel with stride 1 over every other
// element: of two taps, of which two results take three products in place of four (Winograd's minimal filtering
// F(2, 2)), or of one. Along both axes that is 25 products for 36 of a 3x3 kernel, 36 for 64 of a 4x4 one. The transforms
// are a few sums and differences; the channels lie in the lanes, so that maps of any width fill them.
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

constexpr int64_t kLine = 16;  // channels side by side are rounded up to a line of the cache
constexpr int64_t kBand = 32;  // channels multiplied at once
constexpr int64_t kMostUnits = 36;
constexpr int64_t kFewTiles = 128;                    // whose patches are made once for all bands
constexpr int64_t kPatches = int64_t{1} << 18;        // elements of patches at once
constexpr int64_t kSharedPatches = int64_t{1} << 20;  // the same where all threads read them
constexpr int64_t kOwnSums = int64_t{1} << 17;        // elements of a gradient's sums that a task has to itself
constexpr int64_t kParts = 8, kShares = 4, kProducts = 9 * kShares;

int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

struct Buffers {
  Scratch shared, sums, own;  // the last by one thread
};
// Behind a pointer: a thread's own memory is scarce in a library that is loaded late (allocator.h: RL_FAST_TLS).
Buffers& buffers() {
  static thread_local const std::unique_ptr<Buffers> b = std::make_unique<Buffers>();
  return *b;
}

// Pieces of a thread's own buffer, one after the other.
template <size_t N> std::array<float*, N> own_pieces(const std::array<int64_t, N>& sizes) {
  int64_t total = 0;
  for (int64_t s : sizes) total += round_up(s, kLine) + kLine;
  std::array<float*, N> out;
  float* at = buffers().own.get<float>(total);
  for (size_t i = 0; i < N; ++i) out[i] = at, at += round_up(sizes[i], kLine) + kLine;
  return out;
}

// Along one axis, two taps u and v over elements a, b and c give
//   u a + v b = (a - b) u + b (u + v)  and  u b + v c = b (u + v) + (c - b) v
// and one tap over two elements the products themselves. N is the number of taps.
template <size_t N> using Vs = std::array<V, N>;

template <int N> struct Elements {
  static constexpr int in = N + 1, out = N + 1;
  static Vs<out> of(const Vs<in>& x) {
    if constexpr (N == 1)
      return x;
    else
      return {x[0] - x[1], x[1], x[2] - x[1]};
  }
};
template <int N> struct Taps {
  static constexpr int in = N, out = N + 1;
  static Vs<out> of(const Vs<in>& x) {
    if constexpr (N == 1)
      return {x[0], x[0]};
    else
      return {x[0], x[0] + x[1], x[1]};
  }
};
template <int N> struct Results {
  static constexpr int in = N + 1, out = 2;
  static Vs<out> of(const Vs<in>& x) {
    if constexpr (N == 1)
      return x;
    else
      return {x[0] + x[1], x[1] + x[2]};
  }
};
// The sums of products with a gradient, for each tap.
template <int N> struct TapResults {
  static constexpr int in = N + 1, out = N;
  static Vs<out> of(const Vs<in>& x) {
    if constexpr (N == 1)
      return {x[0] + x[1]};
    else
      return {x[0] + x[1], x[1] + x[2]};
  }
};

// One after the other along both axes: put(y, x, value) of what get(y, x) gives.
template <class Rows, class Columns, class Get, class Put> inline void transform(Get get, Put put) {
  Vs<Columns::out> half[Rows::in];
#pragma GCC unroll 3
  for (size_t y = 0; y < Rows::in; ++y) {
    Vs<Columns::in> row;
#pragma GCC unroll 3
    for (size_t x = 0; x < Columns::in; ++x) row[x] = get(static_cast<int>(y), static_cast<int>(x));
    half[y] = Columns::of(row);
  }
#pragma GCC unroll 3
  for (size_t x = 0; x < Columns::out; ++x) {
    Vs<Rows::in> column;
#pragma GCC unroll 3
    for (size_t y = 0; y < Rows::in; ++y) column[y] = half[y][x];
    const Vs<Rows::out> all = Rows::of(column);
#pragma GCC unroll 3
    for (size_t y = 0; y < Rows::out; ++y) put(static_cast<int>(y), static_cast<int>(x), all[y]);
  }
}

// The planes of channels that follow each other.
void turn_planes(const Plane& p, const float* x, float* out) {
  turn(p, [&](int64_t i) { return x + i * p.rows * p.columns; }, out);
}

// A unit is a product of matrices: tiles by channels. A convolution's are the places of a tile, 3x3, and what all phases of
// taps give to a place is one sum over their channels; a gradient's input has a unit for every place of every phase.
struct Unit {
  int64_t depth = 0, patches = 0, kernels = 0;  // from the first unit: elements per tile, rows
};

struct Shape {
  [[gnu::noinline]] Shape(const ConvStrided& c, bool backwards, int64_t patch_unit)
      : c(c), backwards(backwards), from(backwards ? c.m : c.channels), to(backwards ? c.channels : c.m) {
    from_lanes = round_up(from, kLine), to_lanes = round_up(to, kLine);
    source = backwards ? c.out : c.in, result = backwards ? c.in : c.out;
    step = backwards ? 2 : 4, spacing = backwards ? 1 : 2, each = backwards ? 4 : 2;
    tile_rows = (result[0] + each - 1) / each, tile_columns = (result[1] + each - 1) / each;
    lines = c.images * tile_rows;
    pitch = std::max(step * (tile_columns - 1) + window(1), source[1] + border(1)) * kLine;
    for (int py = 0; py < 2; ++py)
      for (int px = 0; px < 2; ++px)
        for (int y = 0; y <= taps(0, py); ++y)
          for (int x = 0; x <= taps(1, px); ++x) units[unit(py, px, y, x)].depth += from_lanes;
    for (Unit& u : units) {
      u.patches = per_tile, u.kernels = rows;
      per_tile += round_up(u.depth, patch_unit), rows += u.depth;
    }
  }

  // Of a phase of the kernel along an axis: every other tap.
  int taps(int axis, int phase) const { return static_cast<int>(c.kernel[axis] - phase + 1) / 2; }
  // Its first element, from the corner of a tile's window on.
  int64_t begin(int axis, int phase) const {
    if (!backwards) return phase;
    return (phase == 0 ? c.pad[axis] % 2 : 0) + (taps(axis, phase) == 1 ? 1 : 0);
  }
  int64_t window(int axis) const { return backwards ? 4 : c.kernel[axis] + 2; }
  int64_t border(int axis) const { return backwards ? 1 - c.pad[axis] / 2 : c.pad[axis]; }

  int place(int axis, int phase, int term) const { return taps(axis, phase) == 1 ? 2 * term : term; }
  size_t unit(int py, int px, int y, int x) const {
    return static_cast<size_t>(backwards ? (2 * py + px) * 9 + 3 * y + x : 3 * place(0, py, y) + place(1, px, x));
  }
  // Where a phase's channels begin in a unit.
  int64_t column(int py, int px, int x) const {
    if (backwards) return 0;
    const int64_t across = place(1, px, x) == 1 ? taps(1, 1) : 2;
    return (py * across + px) * from_lanes;
  }

  // f.operator()<NY, NX>(py, px) for every phase of the kernel.
  template <class F> void each_phase(F f) const {
    for (int py = 0; py < 2; ++py)
      for (int px = 0; px < 2; ++px) {
        const int ny = taps(0, py), nx = taps(1, px);
        if (ny == 2 && nx == 2)
          f.template operator()<2, 2>(py, px);
        else if (ny == 2)
          f.template operator()<2, 1>(py, px);
        else if (nx == 2)
          f.template operator()<1, 2>(py, px);
        else
          f.template operator()<1, 1>(py, px);
      }
  }

  // Lines of tiles [first, last), which may belong to several images: f(image, first row, rows, tiles before).
  template <class F> void each_image(int64_t first, int64_t last, F f) const {
    for (int64_t line = first; line < last;) {
      const int64_t row = line % tile_rows, count = std::min(tile_rows - row, last - line);
      f(line / tile_rows, row, count, (line - first) * tile_columns);
      line += count;
    }
  }

  int64_t turned_size(int64_t line_count) const {
    return (step * (std::min(line_count, tile_rows) - 1) + window(0)) * pitch;
  }

  // The channels from c0 on of an image's rows under some rows of tiles.
  void turn_source(const float* x, int64_t image, int64_t group, int64_t c0, int64_t row, int64_t count,
                   float* turned) const {
    const int64_t plane = source[0] * source[1], blocks = c.images * c.groups * from;
    turn_planes({source[0], source[1], step * row - border(0), -border(1), step * (count - 1) + window(0),
                 pitch / kLine, kLine, std::min(kLine, from - c0), x + blocks * plane},
                x + ((image * c.groups + group) * from + c0) * plane, turned);
  }

  // Patches of a line of channels, of `tiles` tiles in all. They lie in strips of `strip` columns, or each unit is one.
  [[gnu::noinline]] void make_patches(const float* x, int64_t group, int64_t c0, int64_t first, int64_t last,
                                      int64_t tiles, int64_t strip, float* turned, float* patches) const {
    each_image(first, last, [&](int64_t image, int64_t row, int64_t count, int64_t before) {
      turn_source(x, image, group, c0, row, count, turned);
      each_phase([&]<int NY, int NX>(int py, int px) {
        float* out[NY + 1][NX + 1];
        int64_t apart[NY + 1][NX + 1];
        for (int y = 0; y <= NY; ++y)
          for (int i = 0; i <= NX; ++i) {
            const Unit& u = units[unit(py, px, y, i)];
            const int64_t at = column(py, px, i) + c0, wide = strip ? strip : u.depth;
            apart[y][i] = wide;
            out[y][i] = patches + u.patches * tiles + at / wide * wide * tiles + before * wide + at % wide;
          }
        const float* corner = turned + begin(0, py) * pitch + begin(1, px) * kLine;
        for (int64_t r = 0; r < count; ++r)
          for (int64_t t = 0; t < tile_columns; ++t) {
            const float* at = corner + step * (r * pitch + t * kLine);
            const int64_t tile = r * tile_columns + t;
            for (int64_t v = 0; v < kLine; v += L)
              transform<Elements<NY>, Elements<NX>>(
                  [&](int y, int i) { return load(at + spacing * (y * pitch + i * kLine) + v); },
                  [&](int y, int i, V value) { store(out[y][i] + tile * apart[y][i] + v, value); });
          }
      });
    });
  }

  const ConvStrided& c;
  bool backwards;
  int64_t from, to, from_lanes, to_lanes;  // channels of a group: multiplied, of the result
  const int64_t *source, *result;          // planes
  int64_t step, spacing, each;  // from tile to tile in the source, between taps there, results of a tile along an axis
  int64_t tile_rows, tile_columns, lines, pitch;
  int64_t per_tile = 0, rows = 0;  // of all units
  std::array<Unit, kMostUnits> units;
};

// A convolution, or the gradient of its input.
class Product : Shape {
 public:
  Product(const ConvStrided& c, bool backwards, const float* x, const float* w, const float* bias, float* out)
      : Shape(c, backwards, kLine), x_(x), w_(w), bias_(bias), out_(out) {
    bands_ = (to_lanes + kBand - 1) / kBand;
  }

  [[gnu::noinline]] void run() {
    if (lines * tile_columns <= kFewTiles && bands_ > 1)
      run_few();
    else
      run_many();
    buffers().shared.trim();
  }

 private:
  void run_many() {
    float* kernels = buffers().shared.get<float>(c.groups * bands_ * rows * kBand);
    const int64_t halves = to_lanes / kLine;
    parallel_for(c.groups * halves, 1 + (1 << 14) / (rows * kLine), [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        const int64_t group = item / halves, n0 = item % halves * kLine;
        make_kernels(group, n0, kernels + (group * bands_ + n0 / kBand) * rows * kBand + n0 % kBand);
      }
    });
    const int64_t at_once = std::clamp<int64_t>(kPatches / per_tile, 42, 112), threads = num_threads();
    int64_t blocks = (lines * tile_columns + at_once - 1) / at_once;
    if (c.groups * blocks < 4 * threads) blocks = round_up(blocks, threads);
    blocks = std::min(blocks, lines);
    parallel_for(c.groups * blocks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        const int64_t group = item / blocks, first = lines * (item % blocks) / blocks;
        const int64_t last = lines * (item % blocks + 1) / blocks, tiles = (last - first) * tile_columns;
        const auto [patches, turned, sums, results] =
            own_pieces<4>({per_tile * tiles, turned_size(last - first), sums_size(tiles), results_size(last - first)});
        for (int64_t c0 = 0; c0 < from; c0 += kLine)
          make_patches(x_, group, c0, first, last, tiles, 0, turned, patches);
        for (int64_t band = 0; band < bands_; ++band)
          multiply(group, band, first, last, patches, kernels + (group * bands_ + band) * rows * kBand, sums, results);
      }
    });
  }

  // Few tiles: each band's kernels are used as soon as they are made.
  void run_few() {
    const int64_t tiles = lines * tile_columns;
    float* patches = buffers().shared.get<float>(per_tile * tiles);
    for (int64_t group = 0; group < c.groups; ++group) {
      parallel_for(from_lanes / kLine, 1 + (1 << 13) / (tiles * per_tile), [&](int64_t begin, int64_t end) {
        const auto [turned] = own_pieces<1>({turned_size(lines)});
        for (int64_t i = begin; i < end; ++i) make_patches(x_, group, i * kLine, 0, lines, tiles, 0, turned, patches);
      });
      parallel_for(bands_, 1, [&](int64_t begin, int64_t end) {
        const auto [kernels, sums, results] = own_pieces<3>({rows * kBand, sums_size(tiles), results_size(lines)});
        for (int64_t band = begin; band < end; ++band) {
          for (int64_t n0 = band * kBand; n0 < std::min(to_lanes, (band + 1) * kBand); n0 += kLine)
            make_kernels(group, n0, kernels + n0 % kBand);
          multiply(group, band, 0, lines, patches, kernels, sums, results);
        }
      });
    }
  }

  int64_t sums_size(int64_t tiles) const { return static_cast<int64_t>(units.size()) * tiles * kBand; }
  int64_t results_size(int64_t line_count) const {
    return (each * std::min(line_count, tile_rows) * result[1] + L) * kBand;
  }

  // A line of the result's channels, from n0 on: rows of kBand.
  [[gnu::noinline]] void make_kernels(int64_t group, int64_t n0, float* out) const {
    const int64_t count = c.kernel[0] * c.kernel[1], lanes = std::min(kLine, to - n0);
    const int64_t along = backwards ? count : c.channels * count, deep = backwards ? c.channels * count : count;
    const float* w = w_ + group * c.m * c.channels * count + n0 * along;
    alignas(64) float packed[kLine * 16 * kLine];  // [channel][tap][lane]
    for (int64_t k0 = 0; k0 < from_lanes; k0 += kLine) {
      const int64_t here = std::min(kLine, from - k0);
      if (deep == count)
        mk_.pack(w + k0 * count, along, 1, lanes, kLine, here * count, packed);
      else
        for (int64_t k = 0; k < here; ++k)
          mk_.pack(w + (k0 + k) * deep, along, 1, lanes, kLine, count, packed + k * count * kLine);
      std::fill(packed + here * count * kLine, packed + kLine * count * kLine, 0.0f);
      each_phase([&]<int NY, int NX>(int py, int px) {
        float* to[NY + 1][NX + 1];
        for (int y = 0; y <= NY; ++y)
          for (int i = 0; i <= NX; ++i) {
            // A gradient sees the taps from the other end.
            const Unit& u = units[backwards ? unit(py, px, NY - y, NX - i) : unit(py, px, y, i)];
            to[y][i] = out + (u.kernels + column(py, px, i) + k0) * kBand;
          }
        for (int64_t k = 0; k < kLine; ++k) {
          const float* at = packed + (k * count + py * c.kernel[1] + px) * kLine;
          for (int64_t v = 0; v < kLine; v += L)
            transform<Taps<NY>, Taps<NX>>(
                [&](int y, int i) { return load(at + 2 * (y * c.kernel[1] + i) * kLine + v); },
                [&](int y, int i, V value) { store(to[y][i] + k * kBand + v, value); });
        }
      });
    }
  }

  [[gnu::noinline]] void multiply(int64_t group, int64_t band, int64_t first, int64_t last, const float* patches,
                                  const float* kernels, float* sums, float* results) const {
    const int64_t tiles = (last - first) * tile_columns, row_tiles = mk_.count(tiles), strip = mk_.strip();
    const int64_t width = std::min(kBand, to_lanes - band * kBand);
    for (size_t n = 0; n < units.size(); ++n) {
      const Unit& u = units[n];
      const int64_t blocks = (u.depth + kDepth - 1) / kDepth;
      for (int64_t b = 0; b < blocks; ++b) {
        const int64_t k0 = u.depth * b / blocks, depth = u.depth * (b + 1) / blocks - k0;
        TileOut<float> to{b > 0 ? Finish::add : Finish::set, nullptr, kBand, nullptr, 0.0f};
        for (int64_t column = 0; column < width; column += strip)
          for (int64_t t = 0; t < row_tiles; ++t) {
            const int64_t i0 = tiles * t / row_tiles, height = tiles * (t + 1) / row_tiles - i0;
            to.dst = sums + (static_cast<int64_t>(n) * tiles + i0) * kBand + column;
            mk_.run(height, std::min(strip, width - column), depth, patches + u.patches * tiles + i0 * u.depth + k0,
                    u.depth, 1, kernels + (u.kernels + k0) * kBand + column, kBand, to);
          }
      }
    }
    const int64_t n0 = band * kBand, plane = result[0] * result[1];
    each_image(first, last, [&](int64_t image, int64_t row, int64_t count, int64_t before) {
      const int64_t height = std::min(each * (row + count), result[0]) - each * row;
      const Place at{group * to + n0, width, count, height, tiles, before};
      if (!backwards)
        put<2, 2>(at, sums, 0, 0, 1, results);
      else
        each_phase([&]<int NY, int NX>(int py, int px) {
          put<NY, NX>(at, sums + (2 * py + px) * 9 * tiles * kBand, (py + c.pad[0]) % 2, (px + c.pad[1]) % 2, 2,
                      results);
        });
      turn_back(results, kBand, std::min(kBand, to - n0), height * result[1], plane,
                out_ + ((image * c.groups + group) * to + n0) * plane + each * row * result[1]);
    });
  }

  struct Place {
    int64_t channel, width, rows, height, tiles, before;
  };

  // Two results along each axis of every tile, `apart` from each other, from (y0, x0) on.
  template <int NY, int NX>
  [[gnu::noinline]] void put(const Place& p, const float* sums, int64_t y0, int64_t x0, int64_t apart,
                             float* results) const {
    for (int64_t v = 0; v < p.width; v += L) {
      const int64_t known = p.channel % to + v;
      const int part = static_cast<int>(std::clamp<int64_t>(to - known, 0, L));
      const V bias = bias_ && part > 0 ? load_part(bias_ + p.channel + v, part) : V{};
      for (int64_t r = 0; r < p.rows; ++r)
        for (int64_t t = 0; t < tile_columns; ++t) {
          const float* from = sums + (p.before + r * tile_columns + t) * kBand + v;
          const int64_t row = each * r + y0, column = each * t + x0;
          float* o = results + (row * result[1] + column) * kBand + v;
          transform<Results<NY>, Results<NX>>([&](int y, int x) { return load(from + (3 * y + x) * p.tiles * kBand); },
                                              [&](int y, int x, V value) {
                                                if (row + y * apart < p.height && column + x * apart < result[1])
                                                  store(o + apart * (y * result[1] + x) * kBand, value + bias);
                                              });
        }
    }
  }

  const Tiles<float>& mk_ = tiles_f32;
  const float *x_, *w_, *bias_;
  float* out_;
  int64_t bands_;
};

// The gradient of the kernels: a sum over tiles of the products of patches with sums of the results' gradients.
class Kernels : Shape {
 public:
  Kernels(const ConvStrided& c, const float* x, const float* g, float* dw)
      : Shape(c, false, kBand), x_(x), g_(g), dw_(dw), place_(round_up(c.m, kLine) + kLine) {}

  void run() {
    const int64_t per = per_tile + 9 * place_, all = lines * tile_columns, size = c.m * rows;
    // Small sums are kept in several parts, whose number depends on the shape alone: a task has its patches to itself.
    const bool apart = size <= kOwnSums;
    const int64_t at_once = std::clamp<int64_t>((apart ? kPatches : kSharedPatches) / per, apart ? 28 : 112, kDepth);
    const int64_t blocks = std::min((all + at_once - 1) / at_once, lines), parts = apart ? std::min(blocks, kParts) : 1;
    const int64_t most = (lines + blocks - 1) / blocks, patches_size = per * most * tile_columns + kLine;
    const int64_t turned = std::max(turned_size(most), gradient_size(most)), of_x = from_lanes / kLine;
    const int64_t sources = of_x + to_lanes / kLine;
    float* sums = buffers().sums.get<float>(parts * size);
    // Sources [begin, end) of a block, and its products [p, q).
    auto make = [&](int64_t group, int64_t b, int64_t begin, int64_t end, float* room, float* patches) {
      const int64_t first = lines * b / blocks, last = lines * (b + 1) / blocks, tiles = (last - first) * tile_columns;
      for (int64_t i = begin; i < end; ++i)
        if (i < of_x)
          make_patches(x_, group, i * kLine, first, last, tiles, kBand, room, patches);
        else
          make_gradient(group, (i - of_x) * kLine, first, last, tiles, room, patches + per_tile * tiles);
      return tiles;
    };
    for (int64_t group = 0; group < c.groups; ++group) {
      if (apart)
        parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
          const auto [room, patches] = own_pieces<2>({turned, patches_size});
          for (int64_t part = begin; part < end; ++part)
            for (int64_t b = blocks * part / parts; b < blocks * (part + 1) / parts; ++b) {
              const int64_t tiles = make(group, b, 0, sources, room, patches);
              add(tiles, b == blocks * part / parts, 0, kProducts, patches, sums + part * size);
            }
        });
      else
        for (int64_t b = 0; b < blocks; ++b) {
          float* patches = buffers().shared.get<float>(patches_size);
          const int64_t tiles = (lines * (b + 1) / blocks - lines * b / blocks) * tile_columns;
          parallel_for(sources, 1 + (1 << 12) / (25 * tiles), [&](int64_t begin, int64_t end) {
            const auto [room] = own_pieces<1>({turned});
            make(group, b, begin, end, room, patches);
          });
          parallel_for(kProducts, 1,
                       [&](int64_t begin, int64_t end) { add(tiles, b == 0, begin, end, patches, sums); });
        }
      parallel_for(c.m, 1 + (1 << 12) / (rows * parts), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) finish(group, i, parts, sums);
      });
    }
    buffers().shared.trim();
    buffers().sums.trim();
  }

 private:
  int64_t gradient_pitch() const { return 2 * tile_columns * kLine; }
  int64_t gradient_size(int64_t line_count) const { return 2 * std::min(line_count, tile_rows) * gradient_pitch(); }

  // out[place][tile][channel]
  void make_gradient(int64_t group, int64_t c0, int64_t first, int64_t last, int64_t tiles, float* turned,
                     float* out) const {
    const int64_t plane = c.out[0] * c.out[1], pitch = gradient_pitch();
    each_image(first, last, [&](int64_t image, int64_t row, int64_t count, int64_t before) {
      turn_planes({c.out[0], c.out[1], 2 * row, 0, 2 * count, 2 * tile_columns, kLine, std::min(kLine, c.m - c0),
                   g_ + c.images * c.groups * c.m * plane},
                  g_ + ((image * c.groups + group) * c.m + c0) * plane, turned);
      for (int64_t t = 0; t < count * tile_columns; ++t) {
        const float* from = turned + 2 * (t / tile_columns * pitch + t % tile_columns * kLine);
        float* o = out + (before + t) * place_ + c0;
        for (int64_t v = 0; v < kLine; v += L)
          transform<Taps<2>, Taps<2>>(
              [&](int y, int x) { return load(from + y * pitch + x * kLine + v); },
              [&](int y, int x, V value) { store(o + (3 * y + x) * tiles * place_ + v, value); });
      }
    });
  }

  // Products [begin, end): of a place, a share of the rows.
  void add(int64_t tiles, bool fresh, int64_t begin, int64_t end, const float* patches, float* sums) const {
    const int64_t row_tiles = mk_.count(c.m), strip = mk_.strip();
    const float* gradient = patches + per_tile * tiles;
    for (int64_t item = begin; item < end; ++item) {
      const int64_t n = item / kShares, t0 = row_tiles * (item % kShares) / kShares;
      const int64_t t1 = row_tiles * (item % kShares + 1) / kShares;
      const Unit& u = units[static_cast<size_t>(n)];
      TileOut<float> to{fresh ? Finish::set : Finish::add, nullptr, u.depth, nullptr, 0.0f};
      for (int64_t column = 0; column < u.depth; column += strip) {
        const float* by = patches + u.patches * tiles + column / kBand * kBand * tiles + column % kBand;
        for (int64_t t = t0; t < t1; ++t) {
          const int64_t i0 = c.m * t / row_tiles, height = c.m * (t + 1) / row_tiles - i0;
          to.dst = sums + u.kernels * c.m + i0 * u.depth + column;
          mk_.run(height, std::min(strip, u.depth - column), tiles, gradient + n * tiles * place_ + i0, 1, place_, by,
                  kBand, to);
        }
      }
    }
  }

  void finish(int64_t group, int64_t i, int64_t parts, float* sums) const {
    const int64_t count = c.kernel[0] * c.kernel[1], size = c.m * rows;
    float* out = dw_ + (group * c.m + i) * c.channels * count;
    alignas(64) float all[16][L];
    for (const Unit& u : units) {
      float* row = sums + u.kernels * c.m + i * u.depth;
      for (int64_t part = 1; part < parts; ++part)
        for (int64_t k = 0; k < u.depth; k += L) store(row + k, load(row + k) + load(row + part * size + k));
    }
    for (int64_t v = 0; v < c.channels; v += L, out += L * count) {
      each_phase([&]<int NY, int NX>(int py, int px) {
        transform<TapResults<NY>, TapResults<NX>>(
            [&](int y, int x) {
              const Unit& u = units[unit(py, px, y, x)];
              return load(sums + u.kernels * c.m + i * u.depth + column(py, px, x) + v);
            },
            [&](int y, int x, V value) { store(all[(py + 2 * y) * c.kernel[1] + px + 2 * x], value); });
      });
      for (int64_t q = 0; q < std::min<int64_t>(L, c.channels - v); ++q)
        for (int64_t t = 0; t < count; ++t) out[q * count + t] = all[t][q];
    }
  }

  const Tiles<float>& mk_ = tiles_f32;
  const float *x_, *g_;
  float* dw_;
  int64_t place_;  // elements from tile to tile of the gradients
};

void product(const ConvStrided& c, const float* x, const float* w, const float* bias, float* out) {
  Product(c, false, x, w, bias, out).run();
}
void spread(const ConvStrided& c, const float* g, const float* w, const float* bias, float* out) {
  Product(c, true, g, w, bias, out).run();
}
void weight_gradient(const ConvStrided& c, const float* x, const float* g, float* dw) { Kernels(c, x, g, dw).run(); }

}  // namespace

extern const ConvStridedTable conv_strided_table = {product, spread, weight_gradient};

}  // namespace rl::cpu::RL_ISA
