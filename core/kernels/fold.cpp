#include "kernels/fold.h"

#include <algorithm>

#include "runtime/parallel.h"

namespace rl {
namespace {

// f(column row, image row, first and last valid column, image column of column 0) for every row of every block element.
template <class F>
void each_row(const FoldShape& s, int64_t plane, F f) {
  for (int64_t ky = 0; ky < s.kernel_h; ++ky)
    for (int64_t kx = 0; kx < s.kernel_w; ++kx) {
      int64_t left = kx * s.dilation_w - s.pad_w;
      auto from = [&](int64_t x) {
        return std::clamp<int64_t>(x > 0 ? (x + s.stride_w - 1) / s.stride_w : 0, 0, s.columns);
      };
      int64_t low = from(-left), high = std::max(low, from(s.width - left));
      for (int64_t r = 0; r < s.rows; ++r) {
        int64_t y = r * s.stride_h - s.pad_h + ky * s.dilation_h;
        bool inside = y >= 0 && y < s.height;
        f((((plane * s.kernel_h + ky) * s.kernel_w + kx) * s.rows + r) * s.columns,
          inside ? (plane * s.height + y) * s.width : -1, low, high, left);
      }
    }
}

template <class T>
void unfold_as(const FoldShape& s, const T* image, T* columns) {
  int64_t work = s.kernel_h * s.kernel_w * s.rows * s.columns + 1;
  parallel_for(s.planes, std::max<int64_t>(1, (1 << 15) / work), [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane)
      each_row(s, plane, [&](int64_t to, int64_t from, int64_t low, int64_t high, int64_t left) {
        T* o = columns + to;
        if (from < 0) {
          std::fill(o, o + s.columns, T());
          return;
        }
        std::fill(o, o + low, T());
        std::fill(o + high, o + s.columns, T());
        const T* row = image + from + left;
        if (s.stride_w == 1)
          std::copy(row + low, row + high, o + low);
        else
          for (int64_t i = low; i < high; ++i) o[i] = row[i * s.stride_w];
      });
  });
}

template <class T>
void fold_as(const FoldShape& s, const T* columns, T* image) {
  int64_t work = s.kernel_h * s.kernel_w * s.rows * s.columns + 1;
  parallel_for(s.planes, std::max<int64_t>(1, (1 << 15) / work), [&](int64_t begin, int64_t end) {
    std::fill(image + begin * s.height * s.width, image + end * s.height * s.width, T());
    for (int64_t plane = begin; plane < end; ++plane)
      each_row(s, plane, [&](int64_t from, int64_t to, int64_t low, int64_t high, int64_t left) {
        if (to < 0) return;
        T* row = image + to + left;
        for (int64_t i = low; i < high; ++i) {
          T& at = row[i * s.stride_w];
          if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>)
            at = T(static_cast<float>(at) + static_cast<float>(columns[from + i]));
          else if constexpr (std::is_same_v<T, bool>)
            at = at || columns[from + i];
          else
            at += columns[from + i];
        }
      });
  });
}

}  // namespace

void unfold_columns(DType dtype, const FoldShape& s, const void* image, void* columns) {
  auto as = [&]<class T>(T) { unfold_as(s, static_cast<const T*>(image), static_cast<T*>(columns)); };
  switch (dtype) {
    case DType::C128: return as(Complex128());
    case DType::F64:
    case DType::C64: return as(uint64_t());
    case DType::F32: return as(uint32_t());
    case DType::Bool: return as(uint8_t());
    default: return as(uint16_t());
  }
}

void fold_columns(DType dtype, const FoldShape& s, const void* columns, void* image) {
  auto as = [&]<class T>(T) { fold_as(s, static_cast<const T*>(columns), static_cast<T*>(image)); };
  switch (dtype) {
    case DType::C128: return as(Complex128());
    case DType::C64: return as(Complex64());
    case DType::F64: return as(double());
    case DType::F16: return as(Half());
    case DType::BF16: return as(BFloat16());
    case DType::Bool: return as(bool());
    default: return as(float());
  }
}

}  // namespace rl
