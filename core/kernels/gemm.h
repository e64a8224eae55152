// Matrix multiplication: C = alpha * A @ B + beta * C (+ bias) (then relu), over any strides, in batches.
//
//   GemmArgs<float> g;
//   g.m = ..., g.n = ..., g.k = ...;
//   g.a = {a, row_stride, col_stride}; g.b = ...; g.c = ...;   // strides in elements; swapped, they transpose
//   g.bias_n = bias; gemm(g);                                  // one value per column of C
//
// Half and BFloat16 are multiplied and added in float and rounded once. Integers wrap around. The same bits come out
// on every instruction set and with any number of threads: each element is summed along k in order, with fused
// multiply-adds, in blocks whose length depends on k alone.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "runtime/cpu.h"
#include "tensor/dtype.h"

namespace rl {

template <class T>
struct Matrix {
  T* data = nullptr;
  int64_t row_stride = 0, col_stride = 0;
};

// The type in which products are summed, and in which packed panels are held.
template <class T>
using gemm_scalar_t = std::conditional_t<std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>, float, T>;

// Supplies an operand that lies nowhere as a matrix (the patches of a convolution). A line is a row of A or a column of
// B. pack() must fill out[p * width + i] for p in [0, depth), i in [0, width) with element k0 + p of line first + i of
// the given batch entry; for i in [lines, width) it writes zeros. Called from several threads at once.
template <class P>
struct LinePacker {
  void (*pack)(const void* context, int64_t batch, int64_t first, int64_t lines, int64_t width, int64_t k0,
               int64_t depth, P* out) = nullptr;
  const void* context = nullptr;
};

template <class T>
struct GemmArgs {
  using P = gemm_scalar_t<T>;
  int64_t m = 0, n = 0, k = 0;
  Matrix<const T> a, b;
  Matrix<T> c;
  P alpha = P(1), beta = P(0);  // beta 0: C is not read
  const T* bias_n = nullptr;    // [n], added to every row
  const T* bias_m = nullptr;    // [m], added to every column
  int64_t bias_n_stride = 1, bias_m_stride = 1;
  bool relu = false;  // not for complex
  // A batch: entry i of A starts at a.data + i * a_batch, or at a.data + a_offsets[i] where offsets are given.
  int64_t batch = 1;
  int64_t a_batch = 0, b_batch = 0, c_batch = 0;
  const int64_t *a_offsets = nullptr, *b_offsets = nullptr, *c_offsets = nullptr;
  LinePacker<P> a_packer, b_packer;  // float and double kinds only; instead of a / b
};

namespace cpu {
[[noreturn]] void gemm_out_of_memory(std::size_t bytes);  // compiled once, so that no shared code is built per ISA

struct GemmTable {
  void (*f32)(const GemmArgs<float>&);
  void (*f64)(const GemmArgs<double>&);
  void (*f16)(const GemmArgs<Half>&);
  void (*bf16)(const GemmArgs<BFloat16>&);
};
struct GemmIntTable {
  void (*u8)(const GemmArgs<uint8_t>&);
  void (*i8)(const GemmArgs<int8_t>&);
  void (*i16)(const GemmArgs<int16_t>&);
  void (*i32)(const GemmArgs<int32_t>&);
  void (*i64)(const GemmArgs<int64_t>&);
};
RL_ISA_TABLE(GemmTable, gemm)
RL_ISA_TABLE(GemmIntTable, gemm_int)
}  // namespace cpu

inline void gemm(const GemmArgs<float>& g) { cpu::gemm().f32(g); }
inline void gemm(const GemmArgs<double>& g) { cpu::gemm().f64(g); }
inline void gemm(const GemmArgs<Half>& g) { cpu::gemm().f16(g); }
inline void gemm(const GemmArgs<BFloat16>& g) { cpu::gemm().bf16(g); }
inline void gemm(const GemmArgs<uint8_t>& g) { cpu::gemm_int().u8(g); }
inline void gemm(const GemmArgs<int8_t>& g) { cpu::gemm_int().i8(g); }
inline void gemm(const GemmArgs<int16_t>& g) { cpu::gemm_int().i16(g); }
inline void gemm(const GemmArgs<int32_t>& g) { cpu::gemm_int().i32(g); }
inline void gemm(const GemmArgs<int64_t>& g) { cpu::gemm_int().i64(g); }
void gemm(const GemmArgs<Complex64>& g);
void gemm(const GemmArgs<Complex128>& g);

}  // namespace rl
