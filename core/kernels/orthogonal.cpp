// A block of columns is turned into reflections one by one, and these into one I - V T V^H, which is matrix products.
// Reference: Schreiber and Van Loan, A storage-efficient WY representation for products of Householder transformations
// (1989)
#include "kernels/orthogonal.h"

#include <algorithm>

#include "kernels/gemm.h"
#include "kernels/lines.h"
#include "kernels/reflections.h"

namespace rl {
namespace {

constexpr int64_t kBlock = 16;

template <class T>
class Reflections {
 public:
  Reflections(int64_t rows, int64_t width)
      : rows_(rows),
        memory_(kBlock * (2 * rows + (width > kBlock ? 2 * width : 0)) * static_cast<int64_t>(sizeof(T))),
        v_(memory_.take<T>(kBlock * rows)),
        turned_(memory_.take<T>(kBlock * rows)),
        first_(memory_.take<T>(width > kBlock ? kBlock * width : 0)),
        second_(memory_.take<T>(0)) {
    if (width > kBlock) second_ = memory_.take<T>(kBlock * width);
  }

  // --- a block of reflections, as adjacent columns of `length`, from its first row on

  const cpu::LineLoops<T>& lines() const { return lines_; }
  T* vector(int64_t j) { return v_ + j * rows_; }

  void gather(const T* a, int64_t row_step, int64_t length, int64_t count) {
    for (int64_t i = 0; i < length; ++i)
      for (int64_t j = 0; j < count; ++j) vector(j)[i] = a[i * row_step + j];
  }

  // Zeros above the ones of the diagonal.
  void make_unit(int64_t count) {
    for (int64_t j = 0; j < count; ++j) {
      std::fill_n(vector(j), j, T(0));
      vector(j)[j] = 1;
    }
  }

  // c [length, width] becomes (I - V T V^H) c, or its adjoint's product with c.
  void apply(const T* tau, int64_t count, int64_t length, T* c, int64_t row_step, int64_t width, bool adjoint) {
    T t[kBlock * kBlock] = {};
    for (int64_t j = 0; j < count; ++j) {
      T along[kBlock];
      for (int64_t i = 0; i < j; ++i) along[i] = lines_.dot(vector(i) + j, vector(j) + j, length - j);
      t[j * kBlock + j] = tau[j];
      for (int64_t i = 0; i < j; ++i) {
        T sum = 0;
        for (int64_t k = i; k < j; ++k) sum += times(t[i * kBlock + k], along[k]);
        t[i * kBlock + j] = -times(tau[j], sum);
      }
    }
    const T* flat = v_;
    if constexpr (!std::is_floating_point_v<T>) {
      std::transform(v_, v_ + kBlock * rows_, turned_, [](T x) { return conjugate(x); });
      flat = turned_;
      if (adjoint) std::transform(t, t + kBlock * kBlock, t, [](T x) { return conjugate(x); });
    }
    product(count, width, length, {flat, rows_, 1}, {c, row_step, 1}, {first_, width, 1}, 1, 0);
    product(count, width, count, {t, adjoint ? 1 : kBlock, adjoint ? kBlock : 1}, {first_, width, 1},
            {second_, width, 1}, 1, 0);
    product(length, width, count, {v_, 1, rows_}, {second_, width, 1}, {c, row_step, 1}, -1, 1);
  }

 private:
  static void product(int64_t m, int64_t n, int64_t k, Matrix<const T> a, Matrix<const T> b, Matrix<T> c, int alpha,
                      int beta) {
    GemmArgs<T> g;
    g.m = m, g.n = n, g.k = k;
    g.a = a, g.b = b, g.c = c;
    g.alpha = T(alpha), g.beta = T(beta);
    gemm(g);
  }

  const cpu::LineLoops<T>& lines_ = cpu::lines_of<T>();
  int64_t rows_;
  Workspace memory_;
  T *v_, *turned_, *first_, *second_;
};

template <class T>
void factor(Reflections<T>& work, T* a, int64_t rows, int64_t columns, T* tau) {
  const int64_t all = std::min(rows, columns);
  for (int64_t at = 0; at < all; at += kBlock) {
    const int64_t length = rows - at, block = std::min(kBlock, columns - at), count = std::min(block, length);
    T* corner = a + at * columns + at;
    work.gather(corner, columns, length, block);
    for (int64_t j = 0; j < count; ++j) {
      T* v = work.vector(j) + j;
      const auto [factor, beta] = reflect(v, length - j);
      tau[at + j] = factor;
      if (j + 1 < block)
        work.lines().reflect(v, conjugate(factor), work.vector(j + 1) + j, work.vector(1) - work.vector(0),
                             block - j - 1, length - j);
      corner[j * columns + j] = static_cast<RealOf<T>>(beta);
    }
    for (int64_t i = 0; i < length; ++i)
      for (int64_t j = 0; j < block; ++j)
        if (i != j || j >= count) corner[i * columns + j] = work.vector(j)[i];
    if (columns > at + block) {
      work.make_unit(count);
      work.apply(tau + at, count, length, corner + block, columns, columns - at - block, true);
    }
  }
}

template <class T>
void apply(Reflections<T>& work, const T* a, int64_t rows, int64_t columns, const T* tau, int64_t reflections, T* c,
           int64_t width, bool adjoint, bool fresh) {
  if (fresh) {
    std::fill_n(c, rows * width, T(0));
    for (int64_t i = 0; i < std::min(rows, width); ++i) c[i * width + i] = 1;
  }
  const int64_t blocks = (reflections + kBlock - 1) / kBlock;
  for (int64_t turn = 0; turn < blocks; ++turn) {
    const int64_t at = (adjoint ? turn : blocks - 1 - turn) * kBlock, length = rows - at;
    const int64_t count = std::min(kBlock, reflections - at), from = fresh ? at : 0;
    if (width <= from) continue;
    work.gather(a + at * columns + at, columns, length, count);
    work.make_unit(count);
    work.apply(tau + at, count, length, c + at * width + from, width, width - from, adjoint);
  }
}

// Few columns: each on its own, without T.
template <class T>
void apply_narrow(T* turned, const T* a, int64_t rows, int64_t columns, const T* tau, int64_t reflections, T* c,
                  int64_t width, bool adjoint, bool fresh) {
  const cpu::LineLoops<T>& lines = cpu::lines_of<T>();
  T* v = turned + rows * width;
  if (fresh) {
    std::fill_n(turned, rows * width, T(0));
    for (int64_t i = 0; i < std::min(rows, width); ++i) turned[i * rows + i] = 1;
  } else {
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < width; ++j) turned[j * rows + i] = c[i * width + j];
  }
  for (int64_t turn = 0; turn < reflections; ++turn) {
    const int64_t j = adjoint ? turn : reflections - 1 - turn, length = rows - j, from = fresh ? j : 0;
    if (width <= from) continue;
    v[0] = 1;
    for (int64_t i = 1; i < length; ++i) v[i] = a[(j + i) * columns + j];
    lines.reflect(v, adjoint ? conjugate(tau[j]) : tau[j], turned + from * rows + j, rows, width - from, length);
  }
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < width; ++j) c[i * width + j] = turned[j * rows + i];
}

}  // namespace

void factor_qr(DType dtype, void* a, int64_t count, int64_t rows, int64_t columns, void* tau) {
  with_type(dtype, [=](auto type) {
    using T = decltype(type);
    Reflections<T> work(rows, columns);
    for (int64_t i = 0; i < count; ++i)
      factor(work, static_cast<T*>(a) + i * rows * columns, rows, columns,
             static_cast<T*>(tau) + i * std::min(rows, columns));
  });
}

void apply_reflections(DType dtype, const void* a, int64_t count, int64_t rows, int64_t columns, const void* tau,
                       int64_t reflections, void* c, int64_t width, bool adjoint, bool fresh) {
  with_type(dtype, [=](auto type) {
    using T = decltype(type);
    auto each = [&](auto&& work, auto one) {
      for (int64_t i = 0; i < count; ++i)
        one(work, static_cast<const T*>(a) + i * rows * columns, rows, columns,
            static_cast<const T*>(tau) + i * reflections, reflections, static_cast<T*>(c) + i * rows * width, width,
            adjoint, fresh);
    };
    if (reflections <= kBlock || width <= 4) {
      Workspace memory(rows * (width + 1) * static_cast<int64_t>(sizeof(T)));
      each(memory.take<T>(rows * (width + 1)), apply_narrow<T>);
    } else {
      Reflections<T> work(rows, std::max(width, kBlock + 1));
      each(work, apply<T>);
    }
  });
}

}  // namespace rl
