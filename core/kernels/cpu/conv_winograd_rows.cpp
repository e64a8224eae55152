// Convolution by Winograd's minimal filtering along the rows alone, F(4, taps) with 3, 4 or 5 taps: four adjacent results of
// a row are a tile, and what a tile sees of an input row is transformed once for all kernel rows. Channels, kernel rows
// and, with a stride, every other tap are summed in the transformed space: one product of matrices for every point where
// the polynomials of the transforms are evaluated. A stride is a sum over phases, in which neighbours are `stride` elements
// apart; kernels wider than five taps of a phase are halves of four, the second one tile further on.
#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "kernels/conv.h"
#include "kernels/cpu/gemm_tiles.h"
#include "runtime/parallel.h"

namespace rl::cpu::RL_ISA {
namespace {

#include "kernels/cpu/gemm_micro.h"

using V = Vec<float>;
constexpr int L = kLanes<float>;
constexpr int64_t kTile = 4;   // results
constexpr int64_t kLine = 16;  // elements of a line of the cache
#if defined(__AVX512F__)
constexpr int kUp = 8;  // rows of the product at once
#else
constexpr int kUp = 4;
#endif
constexpr int64_t kAcross = 3;                // vectors of them
constexpr int64_t kSums = kUp * kAcross * L;  // of a point
constexpr int64_t kTogether = 16 / kUp;       // tiles of rows that share what is read
constexpr int64_t kSecondLevel = 1 << 17;     // elements that the cache holds
constexpr int64_t kDeepest = 32;              // sums of more are added up from parts, which err less
constexpr int64_t kGrainWork = 1 << 18;

struct Buffers {
  Scratch kernels, rows, line, patches, sums;
};
// Behind a pointer: a thread's own memory is scarce in a library that is loaded late (allocator.h: RL_FAST_TLS).
Buffers& buffers() {
  static thread_local const std::unique_ptr<Buffers> b = std::make_unique<Buffers>();
  return *b;
}

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t round_up(int64_t n) { return ceil_div(n, kLine) * kLine; }

// Where it takes many instructions it is not inlined.
#if defined(__x86_64__) && !defined(__AVX2__)
[[gnu::noinline]]
#else
inline
#endif
V times_plus(V a, V b, V c) {
  return fma(a, b, c);
}

// --- transforms ------------------------------------------------------------------------------------------------------
//
// A kernel and four results (or, for the kernel's gradient, their gradients) are the coefficients of polynomials, evaluated
// at 0, at pairs +-p, perhaps at one point more and at infinity, where the last coefficient is the value. The pairs were
// chosen by measuring the error: all are exact, and the values stay near one.

template <int R> constexpr std::array<double, R + 2> kPoints{};
template <> constexpr std::array<double, 5> kPoints<3> = {0, 0.625, -0.625, 1.5, -1.5};
template <> constexpr std::array<double, 6> kPoints<4> = {0, 0.5, -0.5, 1, -1, 2.5};
template <> constexpr std::array<double, 7> kPoints<5> = {0, 0.5, -0.5, 1, -1, 2, -2};
template <int R> constexpr int kCount = R + 3;        // of points, with infinity
template <int R> constexpr int kPairs = (R + 1) / 2;  // that begin at 1, 3, ...

constexpr double power(double x, int n) { return n == 0 ? 1 : x * power(x, n - 1); }

// The product of x - point over the finite points from `from` to `to` left out.
template <int R> constexpr std::array<double, R + 3> product_without(int from, int to) {
  std::array<double, R + 3> c{1};
  for (int i = 0, degree = 0; i < R + 2; ++i) {
    if (i >= from && i < to) continue;
    ++degree;
    for (int k = degree; k >= 0; --k) c[k] = (k > 0 ? c[k - 1] : 0) - kPoints<R>[i] * (k < degree ? c[k] : 0);
  }
  return c;
}

// What evaluating leaves to divide by.
template <int R> constexpr float scale(int point) {
  double n = 1;
  for (int i = 0; i < R + 2; ++i)
    if (point < R + 2 && i != point) n *= kPoints<R>[point] - kPoints<R>[i];
  return static_cast<float>(1 / n);
}

template <int N, class F> inline void each(F f) {
  [&]<int... I>(std::integer_sequence<int, I...>) {
    (f.template operator()<I>(), ...);
  }(std::make_integer_sequence<int, N>{});
}

template <int R, int From, int To> inline V combine(const V* d) {
  constexpr auto c = product_without<R>(From, To);
  constexpr int top = R + 2 - (To - From);
  V sum = d[top];
  each<top>([&]<int I>() {
    constexpr auto by = static_cast<float>(c[top - 1 - I]);
    if constexpr (by != 0) sum = times_plus(splat(by), d[top - 1 - I], sum);
  });
  return sum;
}

// What a tile sees of a row, in: get(element); out: put(point, value).
template <int R, class Get, class Put> inline void transform_input(Get get, Put put) {
  V d[kCount<R>];
#pragma GCC unroll 8
  for (int i = 0; i < kCount<R>; ++i) d[i] = get(i);
  put(0, combine<R, 0, 1>(d));
  each<kPairs<R>>([&]<int I>() {
    constexpr auto p = static_cast<float>(kPoints<R>[2 * I + 1]);
    const V even = combine<R, 2 * I + 1, 2 * I + 3>(d + 1), odd = combine<R, 2 * I + 1, 2 * I + 3>(d);
    put(2 * I + 1, times_plus(splat(p), odd, even));
    put(2 * I + 2, times_plus(splat(-p), odd, even));
  });
  if constexpr (R == 4) put(R + 1, combine<R, R + 1, R + 2>(d));
  put(R + 2, combine<R, 0, 0>(d));
}

// The values of the polynomial with M coefficients.
template <int R, int M, class Put> inline void evaluate(const V* in, Put put) {
  auto part = [&](int first, float square) {
    int k = (M - 1 - first) / 2 * 2 + first;
    V sum = in[k];
#pragma GCC unroll 4
    for (k -= 2; k >= 0; k -= 2) sum = times_plus(splat(square), sum, in[k]);
    return sum;
  };
  put(0, in[0]);
#pragma GCC unroll 4
  for (int i = 1; i < 2 * kPairs<R>; i += 2) {
    const auto p = static_cast<float>(kPoints<R>[static_cast<size_t>(i)]);
    const V even = part(0, p * p), odd = part(1, p * p);
    put(i, times_plus(splat(p), odd, even));
    put(i + 1, times_plus(splat(-p), odd, even));
  }
  if constexpr (R == 4) {
    constexpr auto p = static_cast<float>(kPoints<R>[R + 1]);
    V sum = in[M - 1];
#pragma GCC unroll 4
    for (int k = M - 2; k >= 0; --k) sum = times_plus(splat(p), sum, in[k]);
    put(R + 1, sum);
  }
  put(R + 2, in[M - 1]);
}

// The other way around: what each of M coefficients was in the values' sums.
template <int R, int M> inline void collect(const V* s, V* out) {
  V sum[kPairs<R>], difference[kPairs<R>];
#pragma GCC unroll 4
  for (int i = 0; i < kPairs<R>; ++i) sum[i] = s[2 * i + 1] + s[2 * i + 2], difference[i] = s[2 * i + 1] - s[2 * i + 2];
  each<M>([&]<int K>() {
    V v = (K & 1 ? difference : sum)[0] * splat(static_cast<float>(power(kPoints<R>[1], K)));
    each<kPairs<R> - 1>([&]<int I>() {
      v = times_plus(splat(static_cast<float>(power(kPoints<R>[2 * I + 3], K))), (K & 1 ? difference : sum)[I + 1], v);
    });
    if constexpr (R == 4) v = times_plus(splat(static_cast<float>(power(kPoints<R>[R + 1], K))), s[R + 1], v);
    if constexpr (K == 0) v = v + s[0];
    if constexpr (K == M - 1) v = v + s[R + 2];
    out[K] = v;
  });
}

template <class F> void with_taps(int64_t r, F f) {
  if (r == 3)
    f.template operator()<3>();
  else if (r == 4)
    f.template operator()<4>();
  else
    f.template operator()<5>();
}

// --- vectors taken apart and put together ----------------------------------------------------------------------------

inline void interleave(V a, V b, V& low, V& high) {
#if defined(__clang__)
  for (int k = 0; k < L; ++k) low[k] = (k & 1 ? b : a)[k / 2], high[k] = (k & 1 ? b : a)[L / 2 + k / 2];
#else
  typedef int32_t VI __attribute__((vector_size(kVecBytes)));
  VI at;
  for (int k = 0; k < L; ++k) at[k] = (k & 1) ? L + k / 2 : k / 2;
  low = __builtin_shuffle(a, b, at);
  high = __builtin_shuffle(a, b, at + L / 2);
#endif
}

// Even elements to the first half, odd ones to the second.
template <int N> inline void separate(V* r) {
#if !defined(__clang__)
  typedef int32_t VI __attribute__((vector_size(kVecBytes)));
  VI even;
  for (int k = 0; k < L; ++k) even[k] = 2 * k;
#endif
  V s[N];
#pragma GCC unroll 8
  for (int i = 0; i < N / 2; ++i) {
#if defined(__clang__)
    for (int k = 0; k < L; ++k) {
      const int at = 2 * k % L;
      s[i][k] = r[2 * i + 2 * k / L][at], s[N / 2 + i][k] = r[2 * i + 2 * k / L][at + 1];
    }
#else
    s[i] = __builtin_shuffle(r[2 * i], r[2 * i + 1], even);
    s[N / 2 + i] = __builtin_shuffle(r[2 * i], r[2 * i + 1], even + 1);
#endif
  }
#pragma GCC unroll 8
  for (int i = 0; i < N; ++i) r[i] = s[i];
  if constexpr (N > 2) {
    separate<N / 2>(r);
    separate<N / 2>(r + N / 2);
  }
}

// out[p * apart + j] = line[j * N + p] for whole vectors of j up to count.
template <int N> void take_apart(const float* line, int64_t count, int64_t apart, float* out) {
  for (int64_t j = 0; j < count; j += L) {
    V r[N];
#pragma GCC unroll 8
    for (int i = 0; i < N; ++i) r[i] = load(line + j * N + i * L);
    separate<N>(r);
    // Which comes out where: the bits of its number from the last on.
#pragma GCC unroll 8
    for (int i = 0; i < N; ++i) {
      const int p = N == 8 ? (i & 1) * 4 + (i & 2) + (i >> 2) : (i & 1) * 2 + (i >> 1);
      store(out + p * apart + j, r[i]);
    }
  }
}

// --- shapes ----------------------------------------------------------------------------------------------------------

// Tiles [tile0, tile0 + tiles) of rows [row0, row0 + rows) of the results of images [image0, image0 + images).
struct Piece {
  int64_t image0, images, row0, rows, tile0, tiles;
};

// Adjacent results: where they stand in a strip, and in the whole.
struct Run {
  int64_t at, count, to;
};

struct Shape {
  explicit Shape(const ConvRows& c) : c(c) {
    const int64_t taps = ceil_div(c.kernel[1], c.stride[1]);
    r = taps > 5 ? 4 : taps;
    parts = ceil_div(taps, r);
    points = r + kTile - 1;
    phases = c.stride[1];
    k = c.channels * phases * parts * c.kernel[0];
    tiles = ceil_div(c.out[1], kTile);
    above = (c.kernel[0] - 1) / c.stride[0];
    sorts = std::min(c.stride[0], c.kernel[0]);
  }

  // Of a transformed row.
  int64_t wide(const Piece& p) const { return p.tiles + parts - 1; }
  // Of the transformed rows of one remainder of the stride; what is written past a row's end the next one overwrites.
  int64_t block(const Piece& p) const { return round_up((p.rows + above) * wide(p) + L); }
  // Of all that is of one channel and phase. Planes a power of two apart would fall into the same few sets of the cache.
  int64_t plane(const Piece& p) const { return p.images * sorts * block(p) | kLine; }
  int64_t apart(const Piece& p) const { return c.channels * phases * plane(p) + kLine; }

  // Pieces: what the cache holds transformed, and enough of them for all threads.
  void divide() {
    const int64_t fits = kSecondLevel / (points * c.channels * phases * sorts);  // tiles of a row
    const int64_t share = ceil_div(c.images * c.out[0] * tiles, 4 * num_threads());
    int64_t rows = std::max(std::min(fits / tiles - above, share / tiles), ceil_div(kAcross * L, tiles));
    tiles_at_once = tiles;
    if (rows * tiles > share || (rows + above) * tiles > fits) {
      // Pieces of rows, of whole vectors.
      rows = std::clamp<int64_t>(std::max(2 * above, ceil_div(kAcross * L, tiles)), 1, c.out[0]);
      const int64_t most = std::min(share / rows, fits / (rows + above)), least = ceil_div(kAcross * L, rows);
      tiles_at_once = std::min(tiles, round_up(ceil_div(tiles, ceil_div(tiles, std::max(most, least)))));
    }
    images_at_once = std::clamp<int64_t>(rows / c.out[0], 1, c.images);
    rows_at_once = ceil_div(c.out[0], ceil_div(c.out[0], rows));
    down = ceil_div(c.out[0], rows_at_once), across = ceil_div(tiles, tiles_at_once);
    pieces = ceil_div(c.images, images_at_once) * down * across;
  }
  Piece piece(int64_t i) const {
    const int64_t tile0 = i % across * tiles_at_once, row0 = i / across % down * rows_at_once;
    const int64_t image0 = i / across / down * images_at_once;
    return {image0, std::min(images_at_once, c.images - image0), row0, std::min(rows_at_once, c.out[0] - row0),
            tile0,  std::min(tiles_at_once, tiles - tile0)};
  }

  // All rows that a piece sees: out[point][channel][phase][image][remainder][row][tile].
  template <int R> [[gnu::noinline]] void transform(const float* x, const Piece& p, float* out) const {
    const int64_t line_size = wide(p), block_size = block(p), plane_size = plane(p), apart_size = apart(p);
    const int64_t steps = ceil_div(line_size + 1, L) * L, period = kTile * phases, length = steps * period;
    float* line = buffers().line.get<float>(2 * length + 4 * L);
    float* sorted = line + length;  // [place in a tile][tile]
    std::fill(line, line + length, 0.0f);
    const int64_t left = c.pad[1] - period * p.tile0, low = std::clamp<int64_t>(left, 0, length);
    const int64_t skipped = std::max<int64_t>(-left, 0),
                  count = std::clamp<int64_t>(c.in[1] - skipped, 0, length - low);
    for (int64_t channel = 0; channel < c.channels; ++channel)
      for (int64_t image = 0; image < p.images; ++image)
        for (int64_t sort = 0; sort < sorts; ++sort) {
          const float* from = x + ((p.image0 + image) * c.groups * c.channels + channel) * c.in[0] * c.in[1] + skipped;
          float* o = out + channel * phases * plane_size + (image * sorts + sort) * block_size;
          for (int64_t i = 0; i < p.rows + above; ++i, o += line_size) {
            const int64_t y = (p.row0 + i) * c.stride[0] + sort - c.pad[0];
            if (y < 0 || y >= c.in[0]) {
              for (int64_t f = 0; f < phases; ++f)
                for (int64_t q = 0; q < kCount<R>; ++q)
                  for (int64_t j = 0; j < line_size; j += L) store(o + f * plane_size + q * apart_size + j, V{});
              continue;
            }
            std::copy(from + y * c.in[1], from + y * c.in[1] + count, line + low);
            phases == 2 ? take_apart<8>(line, line_size + 1, steps, sorted)
                        : take_apart<4>(line, line_size + 1, steps, sorted);
            for (int64_t f = 0; f < phases; ++f)
              for (int64_t j = 0; j < line_size; j += L)
                transform_input<R>([&](int q) { return load(sorted + (phases * (q % 4) + f) * steps + q / 4 + j); },
                                   [&](int q, V v) { store(o + f * plane_size + q * apart_size + j, v); });
          }
        }
  }

  const ConvRows& c;
  int64_t r, parts, points, phases, k, tiles, above, sorts;
  int64_t images_at_once, rows_at_once, tiles_at_once, down, across, pieces;
};

// --- the product -----------------------------------------------------------------------------------------------------

// The sums of kUp rows and NV vectors of tiles: B is read where it lies, row k at offset at[k].
template <int NV>
[[gnu::noinline]] void add_up(int64_t depth, const float* a, const float* b, const int64_t* at, bool fresh,
                              float* sums) {
  V acc[kUp][NV];
#pragma GCC unroll 8
  for (int i = 0; i < kUp; ++i)
#pragma GCC unroll 3
    for (int v = 0; v < NV; ++v) acc[i][v] = V{};
  for (int64_t p = 0; p < depth; ++p, a += kUp) {
    const float* from = b + at[p];
    V x[NV];
#pragma GCC unroll 3
    for (int v = 0; v < NV; ++v) x[v] = load(from + v * L);
#pragma GCC unroll 8
    for (int i = 0; i < kUp; ++i) {
      const V by = splat(a[i]);
#pragma GCC unroll 3
      for (int v = 0; v < NV; ++v) acc[i][v] = fma(by, x[v], acc[i][v]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kUp; ++i, sums += kAcross * L)
#pragma GCC unroll 3
    for (int v = 0; v < NV; ++v) store(sums + v * L, fresh ? acc[i][v] : load(sums + v * L) + acc[i][v]);
}

class Forward : Shape {
 public:
  Forward(const ConvRows& c, const float* x, const float* w, const float* bias, float* out)
      : Shape(c), x_(x), w_(w), bias_(bias), out_(out) {
    ups_ = ceil_div(c.m, kUp);
  }

  void run() {
    divide();
    kernels_ = buffers().kernels.get<float>(points * kernel_place());
    with_taps(r, [&]<int R>() { transform_kernels<R>(); });
    const int64_t work = points * k * c.m * images_at_once * rows_at_once * tiles_at_once;
    parallel_for(c.groups * pieces, 1 + kGrainWork / (work + 1), [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item)
        with_taps(r, [&]<int R>() { multiply<R>(item / pieces, piece(item % pieces)); });
    });
    for (Scratch* s : {&buffers().kernels, &buffers().rows}) s->trim();
  }

 private:
  int64_t kernel_place() const { return c.groups * ups_ * kUp * k + kLine; }

  // As [point][group][results / kUp][row of the product][kUp].
  template <int R> void transform_kernels() {
    const int64_t taps = c.kernel[0] * c.kernel[1], place = kernel_place();
    parallel_for(c.groups * ups_, 1 + (1 << 12) / (k * kUp), [&](int64_t begin, int64_t end) {
      float* turned = buffers().sums.get<float>((taps + 1) * kLine);  // [tap][row]
      for (int64_t item = begin; item < end; ++item) {
        const int64_t group = item / ups_, i0 = item % ups_ * kUp, rows = std::min<int64_t>(kUp, c.m - i0);
        float* o = kernels_ + item * kUp * k;
        for (int64_t channel = 0; channel < c.channels; ++channel) {
          mk_.pack(w_ + group * c.w_group + i0 * c.w_m + channel * c.w_channel, c.w_m, 1, rows, kLine, taps, turned);
          for (int64_t f = 0; f < phases; ++f)
            for (int64_t part = 0; part < parts; ++part)
              for (int64_t y = 0; y < c.kernel[0]; ++y, o += kUp)
                for (int64_t i = 0; i < kUp; i += L) {
                  V w[R];
                  for (int64_t j = 0; j < R; ++j) {
                    const int64_t at = (part * R + j) * phases + f, tap = y * c.kernel[1] + at;
                    w[j] = at < c.kernel[1] ? load(turned + (c.flip ? taps - 1 - tap : tap) * kLine + i) : V{};
                  }
                  evaluate<R, R>(
                      w, [&](int q, V v) { store_part(o + q * place + i, v * splat(scale<R>(q)), std::min(L, kUp)); });
                }
        }
      }
    });
  }

  template <int R> void multiply(int64_t group, const Piece& p) const {
    const int64_t apart_size = apart(p), block_size = block(p), plane_size = plane(p), line_size = wide(p);
    float* rows = buffers().rows.get<float>(points * apart_size + kAcross * L);
    transform<R>(x_ + group * c.channels * c.in[0] * c.in[1], p, rows);
    int64_t* at = buffers().patches.get<int64_t>(k);
    for (int64_t i = 0, n = 0; i < c.channels * phases; ++i)
      for (int64_t part = 0; part < parts; ++part)
        for (int64_t y = 0, sort = 0, row = 0; y < c.kernel[0]; ++y) {
          at[n++] = i * plane_size + sort * block_size + row * line_size + part;
          if (++sort == c.stride[0]) sort = 0, ++row;
        }
    float* sums = buffers().sums.get<float>(kTogether * points * kSums);
    const int64_t n = p.rows * line_size - (parts - 1), vectors = ceil_div(n, L), strips = ceil_div(vectors, kAcross);
    const int64_t blocks = ceil_div(k, kDeepest);
    Run runs[kAcross * L];
    for (int64_t image = 0; image < p.images; ++image)
      for (int64_t strip = 0; strip < strips; ++strip) {
        const int64_t v0 = vectors * strip / strips, vecs = vectors * (strip + 1) / strips - v0;
        const int64_t count = find_runs(p, group, image, v0 * L, std::min(vecs * L, n - v0 * L), runs);
        const float* b = rows + image * sorts * block_size + v0 * L;
        for (int64_t u0 = 0; u0 < ups_; u0 += kTogether) {
          const int64_t u1 = std::min(ups_, u0 + kTogether);
          for (int64_t q = 0; q < points; ++q)
            for (int64_t block = 0; block < blocks; ++block) {
              const int64_t k0 = k * block / blocks, depth = k * (block + 1) / blocks - k0;
              for (int64_t u = u0; u < u1; ++u) {
                const float* a = kernels_ + q * kernel_place() + ((group * ups_ + u) * k + k0) * kUp;
                float* to = sums + ((u - u0) * points + q) * kSums;
                if (vecs == 3)
                  add_up<3>(depth, a, b + q * apart_size, at + k0, block == 0, to);
                else if (vecs == 2)
                  add_up<2>(depth, a, b + q * apart_size, at + k0, block == 0, to);
                else
                  add_up<1>(depth, a, b + q * apart_size, at + k0, block == 0, to);
              }
            }
          for (int64_t u = u0; u < u1; ++u)
            finish<R>(group, u * kUp, vecs, runs, count, sums + (u - u0) * points * kSums);
        }
      }
  }

  // The runs of tiles [first, first + count) of one image of a piece in a channel of the results.
  int64_t find_runs(const Piece& p, int64_t group, int64_t image, int64_t first, int64_t count, Run* runs) const {
    const int64_t line_size = wide(p), columns = std::min(kTile * p.tiles, c.out[1] - kTile * p.tile0);
    const int64_t begin =
        ((p.image0 + image) * c.groups + group) * c.m * c.out[0] * c.out[1] + p.row0 * c.out[1] + kTile * p.tile0;
    if (c.out[1] == kTile * line_size) {
      runs[0] = {0, kTile * count, begin + kTile * first};
      return 1;
    }
    int64_t n = 0;
    for (int64_t t = 0; t < count;) {
      const int64_t row = (first + t) / line_size, column = (first + t) % line_size;
      const int64_t length = std::min(line_size - column, count - t);
      const int64_t elements = std::min(kTile * length, columns - kTile * column);
      if (elements > 0) runs[n++] = {kTile * t, elements, begin + row * c.out[1] + kTile * column};
      t += length;
    }
    return n;
  }

  // Sums back to results, kUp rows from i0 on.
  template <int R>
  [[gnu::noinline]] void finish(int64_t group, int64_t i0, int64_t vecs, const Run* runs, int64_t count,
                                const float* sums) const {
    alignas(64) float line[kTile * kAcross * L + L];
    const bool straight = count == 1 && runs[0].count == kTile * vecs * L;
    for (int64_t i = i0; i < std::min(c.m, i0 + kUp); ++i, sums += kAcross * L) {
      float* out = out_ + i * c.out[0] * c.out[1];
      float* to = straight ? out + runs[0].to : line;
      const V bias = splat(bias_ ? bias_[group * c.m + i] : 0.0f);
      for (int64_t j = 0; j < vecs * L; j += L, to += kTile * L) {
        V s[kCount<R>], y[kTile];
#pragma GCC unroll 8
        for (int q = 0; q < kCount<R>; ++q) s[q] = load(sums + q * kSums + j);
        collect<R, kTile>(s, y);
        V even[2], odd[2], all[4];
        interleave(y[0] + bias, y[2] + bias, even[0], even[1]);
        interleave(y[1] + bias, y[3] + bias, odd[0], odd[1]);
        for (int h = 0; h < 2; ++h) interleave(even[h], odd[h], all[2 * h], all[2 * h + 1]);
        for (int h = 0; h < 4; ++h) store(to + h * L, all[h]);
      }
      if (straight) continue;
      for (int64_t n = 0; n < count; ++n) {
        float* o = out + runs[n].to;
        const float* from = line + runs[n].at;
        int64_t q = 0;
        for (; q + L <= runs[n].count; q += L) store(o + q, load(from + q));
        if (q < runs[n].count) store_part(o + q, load(from + q), static_cast<int>(runs[n].count - q));
      }
    }
  }

  const Tiles<float>& mk_ = tiles_f32;
  const float *x_, *w_, *bias_;
  float* out_;
  float* kernels_ = nullptr;
  int64_t ups_;
};

void product(const ConvRows& c, const float* x, const float* w, const float* bias, float* out) {
  Forward(c, x, w, bias, out).run();
}

}  // namespace

extern const ConvRowsTable conv_rows_table = {product};

}  // namespace rl::cpu::RL_ISA
