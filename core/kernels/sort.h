// Order: sort, topk, selection, unique, searching. NaN is greater than everything, -0.0 equals 0.0, and every order is
// stable, so results do not depend on the machine or the number of threads. Real types and bool only. What of it does not
// vectorise is compiled once, not for each instruction set.
// Sources and results are contiguous [outer, n, inner]; indices are int64.
#pragma once

#include <cstdint>

#include "runtime/cpu.h"
#include "tensor/dtype.h"

namespace rl::cpu {

enum class Select : uint8_t { kth, median, nanmedian, mode };

struct SortTable {
  // values or indices may be null.
  void (*sort)(void* values, int64_t* indices, const void* src, DType dtype, int64_t outer, int64_t n, int64_t inner,
               bool descending);
  // The k largest (or smallest) of each row, in order: results are [outer, k, inner].
  void (*topk)(void* values, int64_t* indices, const void* src, DType dtype, int64_t outer, int64_t n, int64_t inner,
               int64_t k, bool largest);
  // One element of each row: results are [outer, inner]. k counts from 0 and serves kth only; n > 0.
  void (*select)(void* values, int64_t* indices, const void* src, DType dtype, int64_t outer, int64_t n, int64_t inner,
                 Select what, int64_t k);
  // Sorted distinct values of src[n]; returns how many. Every NaN counts as distinct. values has room for n; inverse [n]
  // and counts [room for n] may be null.
  int64_t (*unique)(void* values, int64_t* inverse, int64_t* counts, const void* src, DType dtype, int64_t n);
  int64_t (*unique_consecutive)(void* values, int64_t* inverse, int64_t* counts, const void* src, DType dtype,
                                int64_t n);
};
extern const SortTable sort_table;
inline const SortTable& sort() { return sort_table; }

struct SearchTable {
  // out[r, i] = the place of values[r, i] in the ascending sorted[r] (one row for all when rows_shared), after equal
  // elements if right. sorter (same layout as sorted) may be null. Both of one dtype.
  void (*searchsorted)(int64_t* out, const void* sorted, const int64_t* sorter, const void* values, DType dtype,
                       int64_t rows, int64_t n, int64_t m, bool rows_shared, bool right);
  // out[i] = (elements[i] is among test[m]) != invert. Both of one dtype.
  void (*isin)(bool* out, const void* elements, int64_t n, const void* test, int64_t m, DType dtype, bool invert);
};
extern const SearchTable search_table;
inline const SearchTable& search() { return search_table; }

inline constexpr int64_t kCandidates = 64;

// Elements are int32 or int64, or with floating the bits of float or double; keys are signed.
struct OrderTable {
  int64_t registers;  // that 64 bytes take
  // The places of the elements of rows that lie side by side: 64 bytes hold one element of each of 16 (8) rows, and there
  // are n times as many. The elements are overwritten. Time grows with n * n * registers.
  void (*ranks32)(void* elements, void* places, int64_t n, bool floating, bool descending);
  void (*ranks64)(void* elements, void* places, int64_t n, bool floating, bool descending);
  // The least and the greatest key; words of [begin, end), that is the key less base, above the index.
  void (*span32)(const void* x, int64_t n, bool floating, bool descending, int32_t* low_high);
  void (*words32)(const void* x, int64_t begin, int64_t end, bool floating, bool descending, int32_t base,
                  uint64_t* words);
  // Where the first kCandidates elements begin of which any has a key below bound, and which of them have; or only fewer
  // elements are left.
  int64_t (*candidates32)(const void* x, int64_t n, int64_t bound, bool floating, bool descending, uint8_t* hits);
  int64_t (*candidates64)(const void* x, int64_t n, int64_t bound, bool floating, bool descending, uint8_t* hits);
};
RL_ISA_TABLE(OrderTable, order)

}  // namespace rl::cpu
