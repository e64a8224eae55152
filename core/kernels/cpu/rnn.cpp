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

// Rows in functions of their own: the compiler trusts __restrict on parameters, and so vectorises loops over so many.
template <class T>
[[gnu::noinline]] void lstm_back_row(int64_t n, const T* __restrict gates, const T* __restrict c_prev,
                                     const T* __restrict tanh_c, const T* __restrict dh, T* __restrict dc,
                                     T* __restrict dgates) {
  for (int64_t k = 0; k < n; ++k) {
    const T i = gates[k], f = gates[n + k], g = gates[2 * n + k], o = gates[3 * n + k], t = tanh_c[k], up = dh[k];
    const T x = dc[k] + up * o * (T(1) - t * t);
    dgates[k] = x * g * (i * (T(1) - i));
    dgates[n + k] = x * c_prev[k] * (f * (T(1) - f));
    dgates[2 * n + k] = x * i * (T(1) - g * g);
    dgates[3 * n + k] = up * t * (o * (T(1) - o));
    dc[k] = x * f;
  }
}
template <class T> void add_row(int64_t n, T* __restrict to, const T* __restrict from) {
  for (int64_t k = 0; k < n; ++k) to[k] += from[k];
}
template <class T>
void lstm_backward(int64_t rows, int64_t n, const T* gates, const T* c_prev, const T* tanh_c, T* dh, const T* dout,
                   int64_t ld_dout, T* dc, T* dgates) {
  for (int64_t r = 0; r < rows; ++r) {
    if (dout) add_row(n, dh + r * n, dout + r * ld_dout);
    lstm_back_row(n, gates + r * 4 * n, c_prev + r * n, tanh_c + r * n, dh + r * n, dc + r * n, dgates + r * 4 * n);
  }
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

template <class T>
[[gnu::noinline]] void gru_back_row(int64_t n, const T* __restrict gates, const T* __restrict hidden_n,
                                    const T* __restrict h_prev, T* __restrict dh, T* __restrict dgates,
                                    T* __restrict dhidden) {
  for (int64_t k = 0; k < n; ++k) {
    const T a = gates[k], z = gates[n + k], m = gates[2 * n + k], up = dh[k];
    const T x = up * (T(1) - z) * (T(1) - m * m);
    const T y = up * (h_prev[k] - m) * (z * (T(1) - z));
    const T w = x * hidden_n[k] * (a * (T(1) - a));
    dgates[k] = w;
    dgates[n + k] = y;
    dgates[2 * n + k] = x;
    dhidden[k] = w;
    dhidden[n + k] = y;
    dhidden[2 * n + k] = x * a;
    dh[k] = up * z;
  }
}
template <class T>
void gru_backward(int64_t rows, int64_t n, const T* gates, const T* hidden_n, const T* h_prev, int64_t ld_prev, T* dh,
                  const T* dout, int64_t ld_dout, T* dgates, T* dhidden) {
  for (int64_t r = 0; r < rows; ++r) {
    if (dout) add_row(n, dh + r * n, dout + r * ld_dout);
    gru_back_row(n, gates + r * 3 * n, hidden_n + r * n, h_prev + r * ld_prev, dh + r * n, dgates + r * 3 * n,
                 dhidden + r * 3 * n);
  }
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
