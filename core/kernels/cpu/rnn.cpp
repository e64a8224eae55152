// The pointwise steps of recurrent cells.
#include "kernels/rnn.h"

#include "kernels/pointwise/math.h"

namespace rl::cpu::RL_ISA {
namespace {

template <class T>
void lstm(int64_t rows, int64_t n, T* gates, const T* c_prev, T* c, T* tanh_c, T* h, int64_t ld_h) {
  for (int64_t r = 0; r < rows; ++r) {
    T* __restrict i = gates + r * 4 * n, * __restrict f = i + n, * __restrict g = f + n, * __restrict o = g + n;
    const T* before = c_prev + r * n;
    T* __restrict now = c + r * n, * __restrict t = tanh_c + r * n, * __restrict y = h + r * ld_h;
    for (int64_t k = 0; k < 2 * n; ++k) i[k] = math::sigmoid(i[k]);
    for (int64_t k = 0; k < n; ++k) {
      T gk = math::tanh(g[k]);
      g[k] = gk;
      now[k] = f[k] * before[k] + i[k] * gk;
    }
    for (int64_t k = 0; k < n; ++k) {
      T ok = math::sigmoid(o[k]), tk = math::tanh(now[k]);
      o[k] = ok;
      t[k] = tk;
      y[k] = ok * tk;
    }
  }
}

template <bool Add, class T>
void lstm_back(int64_t rows, int64_t n, const T* gates, const T* c_prev, const T* tanh_c, const T* dh, const T* dout,
               int64_t ld_dout, T* dc, T* dgates) {
  for (int64_t r = 0; r < rows; ++r) {
    const T *i = gates + r * 4 * n, *f = i + n, *g = f + n, *o = g + n;
    const T *before = c_prev + r * n, *t = tanh_c + r * n, *d = dh + r * n, *e = Add ? dout + r * ld_dout : d;
    T* __restrict carry = dc + r * n;
    T* __restrict di = dgates + r * 4 * n, * __restrict df = di + n, * __restrict dg = df + n, * __restrict dn = dg + n;
    for (int64_t k = 0; k < n; ++k) {
      T up = Add ? d[k] + e[k] : d[k];
      T x = carry[k] + up * o[k] * (T(1) - t[k] * t[k]);
      di[k] = x * g[k] * (i[k] * (T(1) - i[k]));
      df[k] = x * before[k] * (f[k] * (T(1) - f[k]));
      dg[k] = x * i[k] * (T(1) - g[k] * g[k]);
      dn[k] = up * t[k] * (o[k] * (T(1) - o[k]));
      carry[k] = x * f[k];
    }
  }
}
template <class T>
void lstm_backward(int64_t rows, int64_t n, const T* gates, const T* c_prev, const T* tanh_c, const T* dh,
                   const T* dout, int64_t ld_dout, T* dc, T* dgates) {
  (dout ? lstm_back<true, T> : lstm_back<false, T>)(rows, n, gates, c_prev, tanh_c, dh, dout, ld_dout, dc, dgates);
}

template <class T>
void gru(int64_t rows, int64_t n, T* gates, const T* hidden, const T* bias, const T* h_prev, int64_t ld_prev,
         T* hidden_n, T* h, int64_t ld_h) {
  for (int64_t r = 0; r < rows; ++r) {
    T* __restrict a = gates + r * 3 * n, * __restrict z = a + n, * __restrict m = z + n;
    T* __restrict u = hidden_n + r * n, * __restrict y = h + r * ld_h;
    const T *s = hidden + r * 3 * n, *sn = s + 2 * n, *before = h_prev + r * ld_prev;
    if (bias) {
      const T* bn = bias + 2 * n;
      for (int64_t k = 0; k < 2 * n; ++k) a[k] = math::sigmoid(a[k] + (s[k] + bias[k]));
      for (int64_t k = 0; k < n; ++k) u[k] = sn[k] + bn[k];
    } else {
      for (int64_t k = 0; k < 2 * n; ++k) a[k] = math::sigmoid(a[k] + s[k]);
      for (int64_t k = 0; k < n; ++k) u[k] = sn[k];
    }
    for (int64_t k = 0; k < n; ++k) {
      T v = math::tanh(m[k] + a[k] * u[k]);
      m[k] = v;
      y[k] = v + z[k] * (before[k] - v);
    }
  }
}

template <bool Add, class T>
void gru_back(int64_t rows, int64_t n, const T* gates, const T* hidden_n, const T* h_prev, int64_t ld_prev, T* dh,
              const T* dout, int64_t ld_dout, T* dgates, T* dhidden) {
  for (int64_t r = 0; r < rows; ++r) {
    const T *a = gates + r * 3 * n, *z = a + n, *m = z + n, *u = hidden_n + r * n, *before = h_prev + r * ld_prev;
    const T* e = Add ? dout + r * ld_dout : u;
    T* __restrict d = dh + r * n, * __restrict da = dgates + r * 3 * n, * __restrict dz = da + n, * __restrict dm = dz + n;
    T* __restrict sa = dhidden + r * 3 * n, * __restrict sz = sa + n, * __restrict sm = sz + n;
    for (int64_t k = 0; k < n; ++k) {
      T up = Add ? d[k] + e[k] : d[k];
      T x = up * (T(1) - z[k]) * (T(1) - m[k] * m[k]);
      T y = up * (before[k] - m[k]) * (z[k] * (T(1) - z[k]));
      T w = x * u[k] * (a[k] * (T(1) - a[k]));
      da[k] = sa[k] = w;
      dz[k] = sz[k] = y;
      dm[k] = x;
      sm[k] = x * a[k];
      d[k] = up * z[k];
    }
  }
}
template <class T>
void gru_backward(int64_t rows, int64_t n, const T* gates, const T* hidden_n, const T* h_prev, int64_t ld_prev, T* dh,
                  const T* dout, int64_t ld_dout, T* dgates, T* dhidden) {
  (dout ? gru_back<true, T> : gru_back<false, T>)(rows, n, gates, hidden_n, h_prev, ld_prev, dh, dout, ld_dout, dgates,
                                                  dhidden);
}

template <class T> void simple(bool relu, int64_t rows, int64_t n, const T* sums, T* h, int64_t ld_h) {
  for (int64_t r = 0; r < rows; ++r) {
    const T* s = sums + r * n;
    T* __restrict y = h + r * ld_h;
    if (relu) {
      for (int64_t k = 0; k < n; ++k) y[k] = s[k] < T(0) ? T(0) : s[k];
    } else {
      for (int64_t k = 0; k < n; ++k) y[k] = math::tanh(s[k]);
    }
  }
}

template <class T>
void simple_backward(bool relu, int64_t rows, int64_t n, const T* h, int64_t ld_h, const T* dh, const T* dout,
                     int64_t ld_dout, T* dsums) {
  for (int64_t r = 0; r < rows; ++r) {
    const T *y = h + r * ld_h, *d = dh + r * n, *e = dout ? dout + r * ld_dout : nullptr;
    T* __restrict s = dsums + r * n;
    if (e) {
      for (int64_t k = 0; k < n; ++k) s[k] = d[k] + e[k];
    } else {
      for (int64_t k = 0; k < n; ++k) s[k] = d[k];
    }
    if (relu) {
      for (int64_t k = 0; k < n; ++k) s[k] = y[k] > T(0) ? s[k] : T(0);
    } else {
      for (int64_t k = 0; k < n; ++k) s[k] *= T(1) - y[k] * y[k];
    }
  }
}

template <class T> constexpr CellSteps<T> kSteps = {lstm<T>,         lstm_backward<T>, gru<T>,
                                                    gru_backward<T>, simple<T>,        simple_backward<T>};

}  // namespace

extern const RnnTable rnn_table = {kSteps<float>, kSteps<double>};

}  // namespace rl::cpu::RL_ISA
