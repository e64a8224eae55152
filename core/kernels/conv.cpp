// The same product over integers, which wrap around. Rarely used: compiled once, and plain.
#include "kernels/conv.h"

#include <vector>

#include "runtime/parallel.h"

namespace rl::cpu {

void conv_product_int(const ConvProduct& c, const int64_t* x, const int64_t* w, const int64_t* bias, int64_t* out) {
  const int64_t lines = c.images * c.groups * c.m;
  parallel_for(lines, 1, [&](int64_t begin, int64_t end) {
    std::vector<uint64_t> sums(static_cast<size_t>(c.run));
    for (int64_t item = begin; item < end; ++item) {
      int64_t i = item % c.m, group = item / c.m % c.groups, image = item / c.m / c.groups;
      for (int64_t plane = 0; plane < c.planes; ++plane)
        for (int64_t row = 0; row < c.rows; ++row) {
          sums.assign(sums.size(), bias ? static_cast<uint64_t>(bias[group * c.m + i]) : 0);
          for (int64_t channel = 0; channel < c.channels; ++channel)
            for (int64_t tap = 0; tap < c.taps; ++tap) {
              const int64_t* from = x + group * c.x_group + image * c.x_image + channel * c.x_channel +
                                    plane * c.x_plane + row * c.x_row + c.x_taps[tap];
              auto by = static_cast<uint64_t>(w[group * c.w_group + i * c.w_m + channel * c.w_channel + c.w_taps[tap]]);
              for (int64_t q = 0; q < c.run; ++q) sums[static_cast<size_t>(q)] += by * static_cast<uint64_t>(from[q]);
            }
          int64_t* o = out + group * c.o_group + image * c.o_image + i * c.o_m + plane * c.o_plane + row * c.o_row;
          for (int64_t q = 0; q < c.run; ++q) o[q * c.o_step] = static_cast<int64_t>(sums[static_cast<size_t>(q)]);
        }
    }
  });
}

}  // namespace rl::cpu
