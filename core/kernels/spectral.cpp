// Reflections leave a tridiagonal or bidiagonal matrix, whose iteration with shifts is done in double; its rotations are
// applied to the vectors a sweep at a time.
// Reference: Golub and Van Loan, Matrix Computations, 8.3 and 8.6 (2013)
#include "kernels/spectral.h"

#include <algorithm>

#include "kernels/lines.h"
#include "kernels/reflections.h"

namespace rl {
namespace {

// What is negligible beside its neighbours: for float the iteration is more exact than its elements.
template <class T>
constexpr double kNegligible = sizeof(RealOf<T>) == 4 ? 1e-12 : 2.3e-16;
constexpr int64_t kMostTurns = 60;  // per value; two or three are usual

struct Rotation {
  double c = 1, s = 0, length = 0;
};
// Turns (x, y) to (length, 0).
inline Rotation rotation(double x, double y) {
  const double squared = x * x + y * y;
  const double length = squared > 1e-280 ? std::sqrt(squared) : std::hypot(x, y);
  return length == 0 ? Rotation{} : Rotation{x / length, y / length, length};
}

// A chain of rotations: the first turns rows 0 and 1, the next rows 1 and 2, ...
struct Chain {
  Chain(Workspace& memory, int64_t most) : c(memory.take<double>(most)), s(memory.take<double>(most)) {}
  void push(double cosine, double sine) {
    c[count] = cosine;
    s[count++] = sine;
  }
  double *c, *s;
  int64_t count = 0;
};

// Vectors that turn with the iteration, as rows; or none.
class Vectors {
 public:
  template <class T>
  Vectors(T* rows, int64_t length)
      : rows_(rows), length_(length), turn_([](void* rows, int64_t first, int64_t step, int64_t n, const Chain& chain) {
          cpu::lines_of<T>().turn(static_cast<T*>(rows) + first * n, step * n, n, chain.c, chain.s, chain.count);
        }) {}
  void turn(int64_t first, int64_t step, const Chain& chain) const {
    if (rows_) turn_(rows_, first, step, length_, chain);
  }

 private:
  void* rows_;
  int64_t length_;
  void (*turn_)(void* rows, int64_t first, int64_t step, int64_t n, const Chain& chain);
};

double largest_of(const double* d, const double* e, int64_t n) {
  return std::max(largest_part(d, n), largest_part(e, n - 1));
}

// By insertion: they are few, or nearly in order.
void sort(const double* values, int64_t n, bool descending, int64_t* order) {
  for (int64_t k = 0; k < n; ++k) {
    int64_t at = k;
    for (; at > 0 && (descending ? values[order[at - 1]] < values[k] : values[order[at - 1]] > values[k]); --at)
      order[at] = order[at - 1];
    order[at] = k;
  }
}

// A power of two that brings the largest element near one; 0 where one is not finite.
template <class R>
double unit_for(double most) {
  constexpr int far = sizeof(R) == 4 ? 126 : 1000;
  if (!(most <= std::numeric_limits<double>::max())) return 0;
  return most == 0 ? 1 : std::ldexp(1.0, std::clamp(-std::ilogb(most), -far, far));
}

template <class T>
void set_identity(T* a, int64_t rows, int64_t columns) {
  std::fill_n(a, rows * columns, T(0));
  for (int64_t i = 0; i < std::min(rows, columns); ++i) a[i * columns + i] = 1;
}

// out[i, k] = rows[order[k], i]
template <class T>
void write_turned(const T* rows, const int64_t* order, int64_t count, int64_t length, T* out) {
  for (int64_t k = 0; k < count; ++k)
    for (int64_t i = 0; i < length; ++i) out[i * count + k] = rows[order[k] * length + i];
}
// out[k, i] = conj(rows[order[k], i])
template <class T>
void write_conjugate(const T* rows, const int64_t* order, int64_t count, int64_t length, T* out) {
  for (int64_t k = 0; k < count; ++k)
    for (int64_t i = 0; i < length; ++i) *out++ = conjugate(rows[order[k] * length + i]);
}

// --- eigenvalues -------------------------------------------------------------------------------------------------------

// The diagonal d and what is beside it, e, of a symmetric tridiagonal matrix: d becomes its eigenvalues.
bool diagonalize(double* d, double* e, int64_t n, double small, Chain& chain, const Vectors& vectors) {
  const double least = small * small * largest_of(d, e, n);
  int64_t turns = kMostTurns * n;
  for (int64_t l = 0; l < n; ++l)
    for (;;) {
      int64_t m = l;
      while (m + 1 < n && std::fabs(e[m]) > std::max(least, small * (std::fabs(d[m]) + std::fabs(d[m + 1])))) ++m;
      if (m == l) break;
      if (turns-- == 0) return false;
      // The shift: of the first two rows the eigenvalue near d[l].
      const double gap = (d[l + 1] - d[l]) / 2;
      const double shift = d[l] - e[l] * (e[l] / (gap + std::copysign(std::hypot(gap, e[l]), gap)));
      double x = d[m] - shift, c = 1, s = 1, moved = 0;
      chain.count = 0;
      int64_t i = m;
      while (i-- > l) {
        const double along = s * e[i], beside = c * e[i];
        const Rotation turn = rotation(x, along);
        e[i + 1] = turn.length;
        if (turn.length == 0) {  // apart already
          d[i + 1] -= moved;
          e[m] = 0;
          break;
        }
        c = turn.c, s = turn.s;
        const double rest = d[i + 1] - moved, r = (d[i] - rest) * s + 2 * c * beside;
        moved = s * r;
        d[i + 1] = rest + moved;
        x = c * r - beside;
        chain.push(c, s);
      }
      vectors.turn(m, -1, chain);
      if (i >= l) continue;
      d[l] -= moved;
      e[l] = x;
      e[m] = 0;
    }
  return true;
}

template <class T>
class Eigh {
  using R = RealOf<T>;

 public:
  explicit Eigh(int64_t n)
      : n_(n),
        memory_(n * (2 * n + 3) * static_cast<int64_t>(sizeof(T)) + n * 40),
        matrix_(memory_.take<T>(n * n)),
        vectors_(memory_.take<T>(n * n)),
        tau_(memory_.take<T>(n)),
        turned_(memory_.take<T>(n)),
        product_(memory_.take<T>(n)),
        d_(memory_.take<double>(n)),
        e_(memory_.take<double>(n + 1)),
        order_(memory_.take<int64_t>(n)),
        chain_(memory_, n) {}

  bool run(const T* a, bool upper, R* values, T* vectors) {
    double most = 0;
    for (int64_t i = 0; i < n_; ++i) {
      const double in_row = upper ? largest_part(a + i * n_ + i, n_ - i) : largest_part(a + i * n_, i + 1);
      if (in_row > most || std::isnan(in_row)) most = in_row;
    }
    const double unit = unit_for<R>(most);
    if (unit == 0) return false;
    const R by = static_cast<R>(unit);
    for (int64_t i = 0; i < n_; ++i)
      for (int64_t j = i; j < n_; ++j) matrix_[i * n_ + j] = (upper ? a[i * n_ + j] : conjugate(a[j * n_ + i])) * by;
    for (int64_t i = 0; i < n_ * n_; i += n_ + 1) matrix_[i] = std::real(matrix_[i]);
    reduce();
    if (vectors) gather_vectors();
    if (!diagonalize(d_, e_, n_, kNegligible<T>, chain_, Vectors(vectors ? vectors_ : nullptr, n_))) return false;
    sort(d_, n_, false, order_);
    for (int64_t k = 0; k < n_; ++k) values[k] = static_cast<R>(d_[order_[k]] / unit);
    if (vectors) write_turned(vectors_, order_, n_, n_, vectors);
    return true;
  }

 private:
  // The upper triangle to a tridiagonal one; the reflections stay in its rows.
  void reduce() {
    for (int64_t i = 0; i < n_; ++i) {
      T* row = matrix_ + i * n_;
      d_[i] = std::real(row[i]);
      const int64_t n = n_ - i - 1;
      if (n == 0) return;
      T* v = row + i + 1;
      for (int64_t j = 0; j < n; ++j) v[j] = conjugate(v[j]);
      const auto [tau, beta] = reflect(v, n);
      tau_[i] = tau, e_[i] = beta;
      if (tau == T(0)) continue;
      // B - v w^H - w v^H, where w = tau B v - (tau / 2) (its product with v) v. Here as conjugates.
      T *vc = turned_, *w = product_, *rest = row + n_ + i + 1;
      for (int64_t j = 0; j < n; ++j) vc[j] = conjugate(v[j]);
      std::fill_n(w, n, T(0));
      for (int64_t r = 0; r < n; ++r) {
        const T* of_row = rest + r * n_;
        w[r] += lines_.dot(of_row + r, vc + r, n - r);
        lines_.add(w + r + 1, vc[r], of_row + r + 1, n - r - 1);
      }
      for (int64_t j = 0; j < n; ++j) w[j] = times(conjugate(tau), w[j]);
      lines_.add(w, conjugate(times(T(-0.5) * tau, lines_.dot(vc, w, n))), vc, n);
      for (int64_t r = 0; r < n; ++r) {
        T* to = rest + r * n_ + r;
        lines_.add_two(to, -v[r], w + r, -conjugate(w[r]), vc + r, n - r);
        *to = std::real(*to);
      }
    }
  }

  void gather_vectors() {
    set_identity(vectors_, n_, n_);
    for (int64_t i = n_ - 1; i-- > 0;)
      lines_.reflect(matrix_ + i * n_ + i + 1, tau_[i], vectors_ + (i + 1) * (n_ + 1), n_, n_ - i - 1, n_ - i - 1);
  }

  int64_t n_;
  Workspace memory_;
  T *matrix_, *vectors_, *tau_, *turned_, *product_;
  double *d_, *e_;
  int64_t* order_;
  Chain chain_;
  const cpu::LineLoops<T>& lines_ = cpu::lines_of<T>();
};

// --- singular values ---------------------------------------------------------------------------------------------------

// The diagonal d and what is above it, e, of a bidiagonal matrix: d becomes its singular values, with signs.
class Bidiagonal {
 public:
  Bidiagonal(double* d, double* e, int64_t n, double small, Chain& left, Chain& right, const Vectors& u,
             const Vectors& v)
      : d(d), e(e), n_(n), small_(small), left(left), right(right), u_(u), v_(v) {}

  bool diagonalize() {
    const double least = small_ * small_ * largest_of(d, e, n_);
    int64_t turns = kMostTurns * n_;
    for (int64_t last = n_ - 1; last > 0;) {
      int64_t first = last;
      while (first > 0 &&
             std::fabs(e[first - 1]) > std::max(least, small_ * (std::fabs(d[first - 1]) + std::fabs(d[first]))))
        --first;
      if (first > 0) e[first - 1] = 0;
      if (first == last) {
        --last;
        continue;
      }
      int64_t zero = last;
      while (zero >= first && !is_zero(zero, first, last, least)) --zero;
      if (zero >= first) {
        separate(first, zero, last);
      } else {
        if (turns-- == 0) return false;
        step(first, last);
      }
    }
    return true;
  }

 private:
  bool is_zero(int64_t k, int64_t first, int64_t last, double least) const {
    const double beside = (k > first ? std::fabs(e[k - 1]) : 0) + (k < last ? std::fabs(e[k]) : 0);
    return std::fabs(d[k]) <= std::max(least, small_ * beside);
  }

  void turn_two(const Vectors& vectors, int64_t first, int64_t second, const Rotation& turn) {
    left.count = 0;
    left.push(turn.c, turn.s);
    vectors.turn(first, second - first, left);
  }

  // Where d[zero] is 0: its row, or the last column, becomes zero.
  void separate(int64_t first, int64_t zero, int64_t last) {
    d[zero] = 0;
    if (zero == last) {
      double f = e[last - 1];
      e[last - 1] = 0;
      for (int64_t j = last; j-- > first;) {
        const Rotation turn = rotation(d[j], f);
        d[j] = turn.length;
        if (j > first) f = -turn.s * e[j - 1], e[j - 1] *= turn.c;
        turn_two(v_, j, last, turn);
      }
    } else {
      double f = e[zero];
      e[zero] = 0;
      for (int64_t j = zero + 1; j <= last; ++j) {
        const Rotation turn = rotation(d[j], f);
        d[j] = turn.length;
        if (j < last) f = -turn.s * e[j], e[j] *= turn.c;
        turn_two(u_, j, zero, turn);
      }
    }
  }

  void step(int64_t first, int64_t last) {
    const double half = ((d[last - 1] + d[last]) * (d[last - 1] - d[last]) + e[last - 1] * e[last - 1]) / 2;
    const double beside = d[last] * e[last - 1];
    const double reach = half + std::copysign(std::hypot(half, beside), half);
    double x = (d[first] + d[last]) * (d[first] - d[last]) + (reach == 0 ? 0 : beside * (beside / reach));
    double y = d[first] * e[first];
    left.count = right.count = 0;
    for (int64_t j = first; j < last; ++j) {
      const Rotation across = rotation(x, y);
      if (j > first) e[j - 1] = across.length;
      x = across.c * d[j] + across.s * e[j];
      e[j] = across.c * e[j] - across.s * d[j];
      const Rotation down = rotation(x, across.s * d[j + 1]);
      d[j + 1] *= across.c;
      d[j] = down.length;
      x = down.c * e[j] + down.s * d[j + 1];
      d[j + 1] = down.c * d[j + 1] - down.s * e[j];
      if (j + 1 < last) y = down.s * e[j + 1], e[j + 1] *= down.c;
      right.push(across.c, across.s);
      left.push(down.c, down.s);
    }
    e[last - 1] = x;
    v_.turn(first, 1, right);
    u_.turn(first, 1, left);
  }

  double *d, *e;
  int64_t n_;
  double small_;
  Chain &left, &right;
  const Vectors &u_, &v_;
};

template <class T>
class Svd {
  using R = RealOf<T>;

 public:
  Svd(int64_t m, int64_t n, int64_t width, bool vectors)
      : m_(m),
        n_(n),
        width_(width),
        with_(vectors),
        memory_((m * n + n * n + m + 2 * n + (vectors ? width * m + n * n : 0)) * static_cast<int64_t>(sizeof(T)) +
                (width + 6 * n) * 8),
        columns_(memory_.take<T>(m * n)),
        rows_(memory_.take<T>(n * n)),
        product_(memory_.take<T>(m)),
        tau_(memory_.take<T>(n)),
        tau_right_(memory_.take<T>(n)),
        u_(memory_.take<T>(vectors ? width * m : 0)),
        v_(memory_.take<T>(vectors ? n * n : 0)),
        d_(memory_.take<double>(n)),
        e_(memory_.take<double>(n)),
        order_(memory_.take<int64_t>(width)),
        left_(memory_, n),
        right_(memory_, n) {}

  bool run(const T* columns, R* s, T* u, T* vh, bool adjoint) {
    const double unit = unit_for<R>(largest_part(columns, m_ * n_));
    if (unit == 0) return false;
    const R by = static_cast<R>(unit);
    for (int64_t i = 0; i < m_ * n_; ++i) columns_[i] = columns[i] * by;
    reduce();
    if (with_) gather_vectors();
    const Vectors turned_left(with_ ? u_ : nullptr, m_), turned_right(with_ ? v_ : nullptr, n_);
    if (!Bidiagonal(d_, e_, n_, kNegligible<T>, left_, right_, turned_left, turned_right).diagonalize()) return false;
    for (int64_t k = 0; k < n_; ++k)
      if (std::signbit(d_[k])) {
        d_[k] = -d_[k];
        for (int64_t i = 0; with_ && i < n_; ++i) v_[k * n_ + i] = -v_[k * n_ + i];
      }
    sort(d_, n_, true, order_);
    for (int64_t k = 0; k < n_; ++k) s[k] = static_cast<R>(d_[order_[k]] / unit);
    if (!with_) return true;
    adjoint ? write_turned(v_, order_, n_, n_, vh) : write_conjugate(v_, order_, n_, n_, vh);
    for (int64_t k = n_; k < width_; ++k) order_[k] = k;
    adjoint ? write_conjugate(u_, order_, width_, m_, u) : write_turned(u_, order_, width_, m_, u);
    return true;
  }

 private:
  // To a bidiagonal matrix: reflections from the left stay in the columns, those from the right in rows_.
  void reduce() {
    for (int64_t j = 0; j < n_; ++j) {
      T *v = columns_ + j * m_ + j, *next = v + m_, *y = rows_ + j * n_ + j + 1;
      const auto [tau, beta] = reflect(v, m_ - j);
      tau_[j] = tau, d_[j] = beta;
      const int64_t n = n_ - j - 1, m = m_ - j - 1;
      lines_.reflect(v, conjugate(tau), next, m_, n, m + 1);
      if (n == 0) return;
      for (int64_t c = 0; c < n; ++c) y[c] = conjugate(next[c * m_]);
      const auto [right, beside] = reflect(y, n);
      tau_right_[j] = right, e_[j] = beside;
      if (right == T(0)) continue;
      std::fill_n(product_, m, T(0));
      for (int64_t c = 0; c < n; ++c) lines_.add(product_, y[c], next + c * m_ + 1, m);
      for (int64_t c = 0; c < n; ++c) lines_.add(next + c * m_ + 1, -times(right, conjugate(y[c])), product_, m);
    }
  }

  void gather_vectors() {
    set_identity(u_, width_, m_);
    set_identity(v_, n_, n_);
    for (int64_t j = n_; j-- > 0;) {
      lines_.reflect(columns_ + j * m_ + j, tau_[j], u_ + j * m_ + j, m_, width_ - j, m_ - j);
      if (j + 1 < n_)
        lines_.reflect(rows_ + j * n_ + j + 1, tau_right_[j], v_ + (j + 1) * (n_ + 1), n_, n_ - j - 1, n_ - j - 1);
    }
  }

  int64_t m_, n_, width_;
  bool with_;
  Workspace memory_;
  T *columns_, *rows_, *product_, *tau_, *tau_right_, *u_, *v_;
  double *d_, *e_;
  int64_t* order_;
  Chain left_, right_;
  const cpu::LineLoops<T>& lines_ = cpu::lines_of<T>();
};

template <class T>
T* entry(T* data, int64_t at) {
  return data ? data + at : nullptr;
}

}  // namespace

void find_eigenvalues(DType dtype, const void* a, bool upper, int64_t count, int64_t n, void* values, void* vectors,
                      int32_t* failed) {
  with_type(dtype, [=](auto type) {
    using T = decltype(type);
    Eigh<T> one(n);
    for (int64_t i = 0; i < count; ++i)
      failed[i] = !one.run(static_cast<const T*>(a) + i * n * n, upper, static_cast<RealOf<T>*>(values) + i * n,
                           entry(static_cast<T*>(vectors), i * n * n));
  });
}

void find_singular_values(DType dtype, const void* columns, int64_t count, int64_t m, int64_t n, void* s, void* u,
                          int64_t width, void* vh, bool adjoint, int32_t* failed) {
  with_type(dtype, [=](auto type) {
    using T = decltype(type);
    Svd<T> one(m, n, width, u != nullptr);
    for (int64_t i = 0; i < count; ++i)
      failed[i] = !one.run(static_cast<const T*>(columns) + i * m * n, static_cast<RealOf<T>*>(s) + i * n,
                           entry(static_cast<T*>(u), i * m * width), entry(static_cast<T*>(vh), i * n * n), adjoint);
  });
}

}  // namespace rl
