// Winograd's F(2x2, 3x3), one vector of tiles or channels at a time: get(index) and put(index, vector) say where from and
// where to. Included inside the namespace of one instruction set, gemm_micro.h with it (no include guard is wanted).

#include "kernels/cpu/gemm_micro.h"

using V = Vec<float>;
constexpr int L = kLanes<float>;
constexpr int64_t kPlaces = 16;

// B^T d B of a 4x4 patch: get(row, column).
template <class Get, class Put> inline void transform_patch(Get get, Put put) {
  V t[4][4];
#pragma GCC unroll 4
  for (int y = 0; y < 4; ++y) {
    V a = get(y, 0), b = get(y, 1), c = get(y, 2), d = get(y, 3);
    t[y][0] = a - c, t[y][1] = b + c, t[y][2] = c - b, t[y][3] = b - d;
  }
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    put(j, t[0][j] - t[2][j]);
    put(4 + j, t[1][j] + t[2][j]);
    put(8 + j, t[2][j] - t[1][j]);
    put(12 + j, t[1][j] - t[3][j]);
  }
}

// A g A^T of 2x2 gradients: get(row, column).
template <class Get, class Put> inline void transform_gradient(Get get, Put put) {
  const V a = get(0, 0), b = get(0, 1), c = get(1, 0), d = get(1, 1);
  const V rows[4][2] = {{a, b}, {a + c, b + d}, {a - c, b - d}, {-c, -d}};
#pragma GCC unroll 4
  for (int y = 0; y < 4; ++y) {
    put(4 * y, rows[y][0]);
    put(4 * y + 1, rows[y][0] + rows[y][1]);
    put(4 * y + 2, rows[y][0] - rows[y][1]);
    put(4 * y + 3, -rows[y][1]);
  }
}

// G w G^T of a 3x3 kernel: get(tap).
template <class Get, class Put> inline void transform_kernel(Get get, Put put) {
  const V by = splat(0.5f);
  auto spread = [&](V a, V b, V d, V* o) {
    V ends = by * (a + d), middle = by * b;
    o[0] = a, o[1] = ends + middle, o[2] = ends - middle, o[3] = d;
  };
  V half[3][4], all[4];
  for (int j = 0; j < 3; ++j) spread(get(j), get(3 + j), get(6 + j), half[j]);
  for (int y = 0; y < 4; ++y) {
    spread(half[0][y], half[1][y], half[2][y], all);
    for (int j = 0; j < 4; ++j) put(4 * y + j, all[j]);
  }
}

// A^T s A, the 2x2 results of a tile and a bias: get(place), put(row, column, value).
template <class Get, class Put> inline void results_of(Get get, V bias, Put put) {
  V top[4], bottom[4];
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    V b = get(4 + j), c = get(8 + j);
    top[j] = get(j) + b + c, bottom[j] = b - c - get(12 + j);
  }
  put(0, 0, top[0] + top[1] + top[2] + bias);
  put(0, 1, top[1] - top[2] - top[3] + bias);
  put(1, 0, bottom[0] + bottom[1] + bottom[2] + bias);
  put(1, 1, bottom[1] - bottom[2] - bottom[3] + bias);
}

// G^T s G, the gradient of a 3x3 kernel: get(place), put(tap, value).
template <class Get, class Put> inline void kernel_of(Get get, Put put) {
  const V by = splat(0.5f);
  V half[4][3];
  for (int y = 0; y < 4; ++y) {
    V s[4];
    for (int j = 0; j < 4; ++j) s[j] = get(4 * y + j);
    half[y][0] = s[0] + by * (s[1] + s[2]);
    half[y][1] = by * (s[1] - s[2]);
    half[y][2] = by * (s[1] + s[2]) + s[3];
  }
  for (int j = 0; j < 3; ++j) {
    put(j, half[0][j] + by * (half[1][j] + half[2][j]));
    put(3 + j, by * (half[1][j] - half[2][j]));
    put(6 + j, by * (half[1][j] + half[2][j]) + half[3][j]);
  }
}
