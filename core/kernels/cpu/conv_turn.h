// Planes turned around, so that the channels of a position lie side by side, and back. Included inside the namespace of one
// instruction set, after gemm_micro.h (no include guard is wanted, no include is made here).

// The planes of one image as lanes: channel i is read at line(i), or is zero where that is null.
struct Plane {
  int64_t rows, columns;  // of what is read
  int64_t row0, column0;  // where the turned plane begins in it
  int64_t out_rows, out_columns, lanes, channels;
  const float* end;  // of what may be read
};

// out[row][column][channel], with zeros where nothing is read.
template <class Line> void turn(const Plane& p, Line line, float* out) {
  const int64_t top = std::clamp<int64_t>(p.row0, 0, p.rows);
  const int64_t bottom = std::clamp<int64_t>(p.row0 + p.out_rows, top, p.rows);
  const int64_t columns = std::min(p.columns, p.out_columns + p.column0);
  const int64_t pitch = p.out_columns * p.lanes, left = -p.column0 * p.lanes;
  const int64_t right = left + columns * p.lanes;
  float* inside = out + (top - p.row0) * pitch;
  std::fill(out, inside, 0.0f);
  std::fill(inside + (bottom - top) * pitch, out + p.out_rows * pitch, 0.0f);
  for (float* row = inside; row < inside + (bottom - top) * pitch; row += pitch) {
    std::fill(row, row + left, 0.0f);
    std::fill(row + right, row + pitch, 0.0f);
  }
  const int64_t n = (bottom - top) * columns;  // positions, whose rows follow each other
  for (int64_t i0 = 0; i0 < p.lanes; i0 += L) {
    const float* from[L];
    for (int i = 0; i < L; ++i) {
      from[i] = i0 + i < p.channels ? line(i0 + i) : nullptr;
      if (from[i]) from[i] += top * columns;
    }
    float* row = inside + left + i0;
    int64_t column = 0;
    for (int64_t at = 0; at < n; at += L) {
      V r[L];
      const int part = static_cast<int>(std::min<int64_t>(L, n - at));
#pragma GCC unroll 16
      for (int i = 0; i < L; ++i)
        r[i] = !from[i] ? V{} : from[i] + at + L <= p.end ? load(from[i] + at) : load_part(from[i] + at, part);
      transpose_block<float>(r);
#pragma GCC unroll 16
      for (int q = 0; q < L; ++q) {
        if (q >= part) break;
        store(row + column * p.lanes, r[q]);
        if (++column == columns) column = 0, row += pitch;
      }
    }
  }
}

// The other way: position q of `n`, channel i to out[i * apart + q].
void turn_back(const float* x, int64_t lanes, int64_t channels, int64_t n, int64_t apart, float* out) {
  for (int64_t i0 = 0; i0 < channels; i0 += L)
    for (int64_t at = 0; at < n; at += L) {
      V r[L];
      const int part = static_cast<int>(std::min<int64_t>(L, n - at));
      const float* from = x + at * lanes + i0;
      float* to = out + i0 * apart + at;
#pragma GCC unroll 16
      for (int q = 0; q < L; ++q) r[q] = load(from + q * lanes);
      transpose_block<float>(r);
#pragma GCC unroll 16
      for (int i = 0; i < L; ++i) {
        if (i0 + i >= channels) break;
        part == L ? store(to + i * apart, r[i]) : store_part(to + i * apart, r[i], part);
      }
    }
}
