// What matrix multiplication lends to other kernels of the same instruction set: its micro-kernels, its transposing
// copy and its working memory. Only for kernels/cpu/*.cpp.
#pragma once

#include <cstdint>
#include <cstdlib>

#include "kernels/gemm.h"

namespace rl::cpu::RL_ISA {

// Where a tile of sums goes. The plain kinds are written straight from the registers.
enum class Finish { set, add, bias, row_bias, spill };

template <class P> struct TileOut {
  Finish finish;
  P* dst;  // row-major; for spill a buffer of kRows rows
  int64_t ld;
  const P* bias;  // one value per column; for row_bias per row
  P floor;        // with a bias: 0 for relu, else -infinity
};

// (depth, a, row stride and k stride of a, b, row stride of b, columns in the last vector, out)
template <class P>
using TileFn = void (*)(int64_t, const P*, int64_t, int64_t, const P*, int64_t, int, const TileOut<P>&);

template <class P> struct Tiles {
  int rows, vecs, lanes;  // of the largest tile
  const TileFn<P>* fns;   // [vectors - 1][rows of A are adjacent][rows - 1]
  // out[p * width + i] = src[i * line_stride + p * k_stride]; zeros for i in [lines, width)
  void (*pack)(const P* src, int64_t line_stride, int64_t k_stride, int64_t lines, int64_t width, int64_t depth,
               P* out);

  int64_t strip() const { return vecs * lanes; }
  int64_t count(int64_t m) const { return (m + rows - 1) / rows; }  // tiles of nearly equal height
  void run(int64_t m, int64_t columns, int64_t depth, const P* a, int64_t row_stride, int64_t k_stride, const P* b,
           int64_t b_stride, const TileOut<P>& out) const {
    int64_t v = (columns + lanes - 1) / lanes;
    fns[((v - 1) * 2 + (row_stride == 1)) * rows + m - 1](depth, a, row_stride, k_stride, b, b_stride,
                                                          static_cast<int>(columns - (v - 1) * lanes), out);
  }
};
extern const Tiles<float> tiles_f32;
extern const Tiles<double> tiles_f64;

constexpr int64_t kDepth = 384;  // longest block along k; part of the result's bits

namespace {

// A buffer that a thread keeps. Beyond what is worth keeping it is freed after use.
class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { std::free(data_); }
  template <class P> P* get(int64_t elements) {
    auto bytes = static_cast<size_t>(elements) * sizeof(P) + 128;
    if (bytes > size_) {
      std::free(data_);
      size_ = (bytes + 4095) / 4096 * 4096;
      data_ = std::aligned_alloc(4096, size_);
      if (!data_) {
        size_ = 0;
        gemm_out_of_memory(bytes);
      }
    }
    return static_cast<P*>(data_);
  }
  void trim() {
    if (size_ > (size_t{32} << 20)) {
      std::free(data_);
      data_ = nullptr;
      size_ = 0;
    }
  }

 private:
  void* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace
}  // namespace rl::cpu::RL_ISA
