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
constexpr int64_t kSharedPatches = int64_t{3} << 20;  // the same where all threads read them
constexpr int64_t kOwnSums = int64_t{1} << 17;        // elements of a gradient's sums that a task has to itself
constexpr int64_t kParts = 8;
constexpr int64_t kTasks = 8;     // of a gradient's products, at least
constexpr int64_t kRowTiles = 8;  // of a gradient's sums that stay in the cache

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
  int64_t pitch = 0;                            // from tile to tile
  int64_t tile_rows = 0, tile_columns = 0;      // that need it: a last tile of one result has no use for some
};

struct Shape {
  // `in_strips`: patches lie in strips of kBand channels, piece after piece; else each unit's channels side by side.
  [[gnu::noinline]] Shape(const ConvStrided& c, bool backwards, bool in_strips)
      : c(c),
        backwards(backwards),
        in_strips(in_strips),
        from(backwards ? c.m : c.channels),
        to(backwards ? c.channels : c.m) {
    from_lanes = round_up(from, kLine), to_lanes = round_up(to, kLine);
    source = backwards ? c.out : c.in, result = backwards ? c.in : c.out;
    step = backwards ? 2 : 4, spacing = backwards ? 1 : 2, each = backwards ? 4 : 2;
    tile_rows = (result[0] + each - 1) / each, tile_columns = (result[1] + each - 1) / each;
    lines = c.images * tile_rows;
    pitch = std::max(step * (tile_columns - 1) + window(1), source[1] + border(1)) * kLine;
    for (int py = 0; py < 2; ++py)
      for (int px = 0; px < 2; ++px)
        for (int y = 0; y <= taps(0, py); ++y)
          for (int x = 0; x <= taps(1, px); ++x) {
            Unit& u = units[unit(py, px, y, x)];
            u.depth += from_lanes;
            u.tile_rows = needed(0, py, y), u.tile_columns = needed(1, px, x);
          }
    for (Unit& u : units) {
      // Tiles apart by a power of two would drive each other out of the cache.
      u.pitch = u.depth > 0 && u.depth % 512 == 0 ? u.depth + kLine : u.depth;
      u.patches = per_tile, u.kernels = rows;
      per_tile += u.pitch, rows += u.depth;
    }
    if (in_strips) per_tile = round_up(from, kBand) * pieces();
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

  // Tiles along an axis that have a result for a term of a phase: the last term is of the second result alone.
  int64_t needed(int axis, int phase, int term) const {
    const int64_t first = backwards ? (phase + c.pad[axis]) % 2 : 0;
    const int64_t place = first + (term == taps(axis, phase) ? each / 2 : 0);
    return (result[axis] - place + each - 1) / each;
  }
  // Of a unit, in the lines from `first` on before another.
  int64_t tiles_between(const Unit& u, int64_t first, int64_t line) const {
    auto before = [&](int64_t n) { return n / tile_rows * u.tile_rows + std::min(n % tile_rows, u.tile_rows); };
    return (before(line) - before(first)) * u.tile_columns;
  }

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

  // A piece is a unit's channels of one phase.
  int64_t pieces() const { return rows / from_lanes; }
  int64_t piece(int py, int px, int y, int x) const {
    return (units[unit(py, px, y, x)].kernels + column(py, px, x)) / from_lanes;
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

  // Lines of tiles [first, last), which may belong to several images: f(image, first row, rows).
  template <class F> void each_image(int64_t first, int64_t last, F f) const {
    for (int64_t line = first; line < last;) {
      const int64_t row = line % tile_rows, count = std::min(tile_rows - row, last - line);
      f(line / tile_rows, row, count);
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

  // Patches of a line of channels, of `tiles` tiles in all.
  [[gnu::noinline]] void make_patches(const float* x, int64_t group, int64_t c0, int64_t first, int64_t last,
                                      int64_t tiles, float* turned, float* patches) const {
    each_image(first, last, [&](int64_t image, int64_t row, int64_t count) {
      turn_source(x, image, group, c0, row, count, turned);
      each_phase([&]<int NY, int NX>(int py, int px) {
        float* out[NY + 1][NX + 1];
        int64_t apart[NY + 1][NX + 1], line[NY + 1][NX + 1];
        for (int y = 0; y <= NY; ++y)
          for (int i = 0; i <= NX; ++i) {
            const Unit& u = units[unit(py, px, y, i)];
            apart[y][i] = in_strips ? kBand : u.pitch;
            line[y][i] = u.tile_columns * apart[y][i];
            out[y][i] = patches + tiles_between(u, first, image * tile_rows + row) * apart[y][i];
            if (in_strips)
              out[y][i] += (c0 / kBand * pieces() + piece(py, px, y, i)) * kBand * tiles + c0 % kBand;
            else
              out[y][i] += u.patches * tiles + column(py, px, i) + c0;
          }
        const float* corner = turned + begin(0, py) * pitch + begin(1, px) * kLine;
        // A tile that a unit does not need is overwritten by the next one that it does.
        for (int64_t r = 0; r < count; ++r)
          for (int64_t t = 0; t < tile_columns; ++t) {
            const float* at = corner + step * (r * pitch + t * kLine);
            for (int64_t v = 0; v < kLine; v += L)
              transform<Elements<NY>, Elements<NX>>(
                  [&](int y, int i) { return load(at + spacing * (y * pitch + i * kLine) + v); },
                  [&](int y, int i, V value) { store(out[y][i] + r * line[y][i] + t * apart[y][i] + v, value); });
          }
      });
    });
  }

  const ConvStrided& c;
  bool backwards, in_strips;
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
      : Shape(c, backwards, false), x_(x), w_(w), bias_(bias), out_(out) {
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
        for (int64_t c0 = 0; c0 < from; c0 += kLine) make_patches(x_, group, c0, first, last, tiles, turned, patches);
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
        for (int64_t i = begin; i < end; ++i) make_patches(x_, group, i * kLine, 0, lines, tiles, turned, patches);
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
    const int64_t tiles = (last - first) * tile_columns, strip = mk_.strip();
    const int64_t width = std::min(kBand, to_lanes - band * kBand);
    for (size_t n = 0; n < units.size(); ++n) {
      const Unit& u = units[n];
      const int64_t count = tiles_between(u, first, last), row_tiles = mk_.count(count);
      const int64_t blocks = (u.depth + kDepth - 1) / kDepth;
      for (int64_t b = 0; b < blocks; ++b) {
        const int64_t k0 = u.depth * b / blocks, depth = u.depth * (b + 1) / blocks - k0;
        TileOut<float> to{b > 0 ? Finish::add : Finish::set, nullptr, kBand, nullptr, 0.0f};
        for (int64_t column = 0; column < width; column += strip)
          for (int64_t t = 0; t < row_tiles; ++t) {
            const int64_t i0 = count * t / row_tiles, height = count * (t + 1) / row_tiles - i0;
            to.dst = sums + (static_cast<int64_t>(n) * tiles + i0) * kBand + column;
            mk_.run(height, std::min(strip, width - column), depth, patches + u.patches * tiles + i0 * u.pitch + k0,
                    u.pitch, 1, kernels + (u.kernels + k0) * kBand + column, kBand, to);
          }
      }
    }
    const int64_t n0 = band * kBand, plane = result[0] * result[1];
    each_image(first, last, [&](int64_t image, int64_t row, int64_t count) {
      const int64_t height = std::min(each * (row + count), result[0]) - each * row;
      const Place at{group * to + n0, width, count, height, tiles, first, image * tile_rows + row};
      if (!backwards)
        put<2, 2>(at, sums, 0, 0, 0, 1, results);
      else
        each_phase([&]<int NY, int NX>(int py, int px) {
          put<NY, NX>(at, sums, (2 * py + px) * 9, (py + c.pad[0]) % 2, (px + c.pad[1]) % 2, 2, results);
        });
      turn_back(results, kBand, std::min(kBand, to - n0), height * result[1], plane,
                out_ + ((image * c.groups + group) * to + n0) * plane + each * row * result[1]);
    });
  }

  struct Place {
    int64_t channel, width, rows, height, tiles, first, line;
  };

  // Two results along each axis of every tile, `apart` from each other, from (y0, x0) on. Those that are not kept may be made
  // of sums that are not there.
  template <int NY, int NX>
  [[gnu::noinline]] void put(const Place& p, const float* sums, size_t unit0, int64_t y0, int64_t x0, int64_t apart,
                             float* results) const {
    const float* of[NY + 1][NX + 1];
    int64_t columns[NY + 1][NX + 1];
    for (int y = 0; y <= NY; ++y)
      for (int x = 0; x <= NX; ++x) {
        const size_t n = unit0 + static_cast<size_t>(3 * y + x);
        columns[y][x] = units[n].tile_columns;
        of[y][x] = sums + (static_cast<int64_t>(n) * p.tiles + tiles_between(units[n], p.first, p.line)) * kBand;
      }
    for (int64_t v = 0; v < p.width; v += L) {
      const int64_t known = p.channel % to + v;
      const int part = static_cast<int>(std::clamp<int64_t>(to - known, 0, L));
      const V bias = bias_ && part > 0 ? load_part(bias_ + p.channel + v, part) : V{};
      for (int64_t r = 0; r < p.rows; ++r)
        for (int64_t t = 0; t < tile_columns; ++t) {
          const int64_t row = each * r + y0, column = each * t + x0;
          float* o = results + (row * result[1] + column) * kBand + v;
          transform<Results<NY>, Results<NX>>(
              [&](int y, int x) { return load(of[y][x] + (r * columns[y][x] + t) * kBand + v); },
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
      : Shape(c, false, true), x_(x), g_(g), dw_(dw), place_(round_up(c.m, kLine) + kLine) {}

  void run() {
    const int64_t per = per_tile + 9 * place_, all = lines * tile_columns;
    const int64_t band_size = pieces() * c.m * kBand, bands = (from + kBand - 1) / kBand, row_tiles = mk_.count(c.m);
    // Small sums are kept in several parts, whose number depends on the shape alone: a task has its patches to itself.
    const bool apart = c.m * rows <= kOwnSums;
    const int64_t at_once = std::clamp<int64_t>((apart ? kPatches : kSharedPatches) / per, apart ? 28 : 112, kDepth);
    const int64_t blocks = std::min((all + at_once - 1) / at_once, lines), parts = apart ? std::min(blocks, kParts) : 1;
    const int64_t most = (lines + blocks - 1) / blocks, patches_size = per * most * tile_columns + kLine;
    const int64_t turned = std::max(turned_size(most), gradient_size(most)), of_x = from_lanes / kLine;
    const int64_t sources = of_x + to_lanes / kLine;
    // Rows whose sums stay in the cache, where a task sees all tiles at once.
    const int64_t in_cache = (row_tiles + kRowTiles - 1) / kRowTiles;
    const int64_t row_groups =
        apart ? row_tiles : std::min(std::max(in_cache, (kTasks + bands - 1) / bands), row_tiles);
    const int64_t group_rows = (row_tiles / row_groups + 1) * mk_.rows;
    float* sums = apart || blocks > 1 ? buffers().sums.get<float>(parts * bands * band_size) : nullptr;
    // Sources [begin, end) of a block.
    auto make = [&](int64_t group, int64_t b, int64_t begin, int64_t end, float* room, float* patches) {
      const int64_t first = lines * b / blocks, last = lines * (b + 1) / blocks, tiles = (last - first) * tile_columns;
      for (int64_t i = begin; i < end; ++i)
        if (i < of_x)
          make_patches(x_, group, i * kLine, first, last, tiles, room, patches);
        else
          make_gradient(group, (i - of_x) * kLine, first, last, tiles, room, patches + per_tile * tiles);
    };
    auto rows_from = [&](int64_t row_group) { return c.m * (row_tiles * row_group / row_groups) / row_tiles; };
    for (int64_t group = 0; group < c.groups; ++group) {
      if (apart) {
        parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
          const auto [room, patches] = own_pieces<2>({turned, patches_size});
          for (int64_t part = begin; part < end; ++part)
            for (int64_t b = blocks * part / parts; b < blocks * (part + 1) / parts; ++b) {
              make(group, b, 0, sources, room, patches);
              for (int64_t band = 0; band < bands; ++band)
                add({lines * b / blocks, lines * (b + 1) / blocks, band, 0, c.m, b == blocks * part / parts}, patches,
                    sums + (part * bands + band) * band_size, c.m);
            }
        });
        parallel_for(bands * row_groups, 1 + (1 << 12) / (pieces() * mk_.rows * kBand * parts),
                     [&](int64_t begin, int64_t end) {
                       for (int64_t i = begin; i < end; ++i) {
                         const int64_t band = i / row_groups, at = i % row_groups;
                         finish(group, band, rows_from(at), rows_from(at + 1), parts, bands * band_size,
                                sums + band * band_size + rows_from(at) * kBand, c.m);
                       }
                     });
        continue;
      }
      for (int64_t b = 0; b < blocks; ++b) {
        float* patches = buffers().shared.get<float>(patches_size);
        const int64_t first = lines * b / blocks, last = lines * (b + 1) / blocks;
        parallel_for(sources, 1 + (1 << 12) / (25 * (last - first) * tile_columns), [&](int64_t begin, int64_t end) {
          const auto [room] = own_pieces<1>({turned});
          make(group, b, begin, end, room, patches);
        });
        parallel_for(bands * row_groups, 1, [&](int64_t begin, int64_t end) {
          const auto [own] = own_pieces<1>({sums ? 0 : pieces() * group_rows * kBand});
          for (int64_t i = begin; i < end; ++i) {
            const int64_t band = i / row_groups, i0 = rows_from(i % row_groups), i1 = rows_from(i % row_groups + 1);
            float* to = sums ? sums + band * band_size + i0 * kBand : own;
            const int64_t high = sums ? c.m : group_rows;
            add({first, last, band, i0, i1, b == 0}, patches, to, high);
            if (b + 1 == blocks) finish(group, band, i0, i1, 1, 0, to, high);
          }
        });
      }
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
    int64_t columns[9];
    float* to[9];
    each_image(first, last, [&](int64_t image, int64_t row, int64_t count) {
      for (size_t n = 0; n < 9; ++n) {
        columns[n] = units[n].tile_columns;
        to[n] = out +
                (static_cast<int64_t>(n) * tiles + tiles_between(units[n], first, image * tile_rows + row)) * place_ +
                c0;
      }
      turn_planes({c.out[0], c.out[1], 2 * row, 0, 2 * count, 2 * tile_columns, kLine, std::min(kLine, c.m - c0),
                   g_ + c.images * c.groups * c.m * plane},
                  g_ + ((image * c.groups + group) * c.m + c0) * plane, turned);
      for (int64_t r = 0; r < count; ++r)
        for (int64_t t = 0; t < tile_columns; ++t) {
          const float* from = turned + 2 * (r * pitch + t * kLine);
          for (int64_t v = 0; v < kLine; v += L)
            transform<Taps<2>, Taps<2>>([&](int y, int x) { return load(from + y * pitch + x * kLine + v); },
                                        [&](int y, int x, V value) {
                                          store(to[3 * y + x] + (r * columns[3 * y + x] + t) * place_ + v, value);
                                        });
        }
    });
  }

  struct Share {
    int64_t first, last;       // lines
    int64_t band, row0, row1;  // channels of x, of g
    bool fresh;
  };

  // sums[piece][row][channel] of a share, `high` rows to a piece.
  void add(const Share& p, const float* patches, float* sums, int64_t high) const {
    const int64_t tiles = (p.last - p.first) * tile_columns, height = p.row1 - p.row0, row_tiles = mk_.count(height);
    const int64_t strip = mk_.strip(), width = std::min(kBand, from_lanes - p.band * kBand);
    const float *gradient = patches + per_tile * tiles, *by = patches + p.band * pieces() * kBand * tiles;
    for (size_t n = 0; n < 9; ++n) {
      const Unit& u = units[n];
      const int64_t depth = tiles_between(u, p.first, p.last);
      const float* g = gradient + static_cast<int64_t>(n) * tiles * place_ + p.row0;
      TileOut<float> to{p.fresh ? Finish::set : Finish::add, nullptr, kBand, nullptr, 0.0f};
      for (int64_t q = u.kernels / from_lanes; q < (u.kernels + u.depth) / from_lanes; ++q)
        for (int64_t column = 0; column < width; column += strip)
          for (int64_t t = 0; t < row_tiles; ++t) {
            const int64_t i0 = height * t / row_tiles, count = height * (t + 1) / row_tiles - i0;
            to.dst = sums + (q * high + i0) * kBand + column;
            mk_.run(count, std::min(strip, width - column), depth, g + i0, 1, place_, by + q * kBand * tiles + column,
                    kBand, to);
          }
    }
  }

  // Rows of a band's gradient from the sums, which begin at the first of them, of all parts.
  void finish(int64_t group, int64_t band, int64_t i0, int64_t i1, int64_t parts, int64_t part_size, float* sums,
              int64_t high) const {
    const int64_t count = c.kernel[0] * c.kernel[1];
    int64_t apart[kMostUnits];  // in the order of the phases
    int64_t* next = apart;
    each_phase([&]<int NY, int NX>(int py, int px) {
      for (int y = 0; y <= NY; ++y)
        for (int x = 0; x <= NX; ++x) *next++ = piece(py, px, y, x) * high * kBand;
    });
    for (int64_t i = i0; i < i1; ++i, sums += kBand) {
      for (int64_t part = 1; part < parts; ++part)
        for (int64_t q = 0; q < pieces(); ++q)
          for (int64_t v = 0; v < std::min(kBand, from_lanes - band * kBand); v += L) {
            float* to = sums + q * high * kBand + v;
            store(to, load(to) + load(to + part * part_size));
          }
      float* out = dw_ + ((group * c.m + i) * c.channels + band * kBand) * count;
      for (int64_t v = 0; v < std::min(kBand, c.channels - band * kBand); v += L, out += L * count) {
        alignas(64) float all[16 * L];
        const int64_t* at = apart;
        each_phase([&]<int NY, int NX>(int py, int px) {
          float* to = all + (py * c.kernel[1] + px) * L;
          transform<TapResults<NY>, TapResults<NX>>(
              [&](int y, int x) { return load(sums + at[y * (NX + 1) + x] + v); },
              [&](int y, int x, V value) { store(to + 2 * (y * c.kernel[1] + x) * L, value); });
          at += (NY + 1) * (NX + 1);
        });
        put_taps(all, std::min<int64_t>(L, c.channels - band * kBand - v), count, out);
      }
    }
  }

  // out[channel][tap] = taps[tap][channel]
  static void put_taps(const float* taps, int64_t channels, int64_t count, float* out) {
    for (int64_t t0 = 0; t0 < count; t0 += L) {
      V r[L];
#pragma GCC unroll 16
      for (int t = 0; t < L; ++t) r[t] = load(taps + (t0 + t) * L);
      transpose_block<float>(r);
      const int part = static_cast<int>(std::min<int64_t>(L, count - t0));
#pragma GCC unroll 16
      for (int q = 0; q < L; ++q) {
        if (q >= channels) break;
        store_part(out + q * count + t0, r[q], part);
      }
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
