#include "tensor/dtype.h"

namespace rl {
namespace {
constexpr DType u1 = DType::U8, i1 = DType::I8, i2 = DType::I16, i4 = DType::I32, i8 = DType::I64, f2 = DType::F16,
                f4 = DType::F32, f8 = DType::F64, c4 = DType::C64, c8 = DType::C128, b1 = DType::Bool, bf = DType::BF16;
// Rows and columns in the order of DType.
constexpr DType kPromotion[kDTypeCount][kDTypeCount] = {
    /* u1 */ {u1, i2, i2, i4, i8, f2, f4, f8, c4, c8, u1, bf},
    /* i1 */ {i2, i1, i2, i4, i8, f2, f4, f8, c4, c8, i1, bf},
    /* i2 */ {i2, i2, i2, i4, i8, f2, f4, f8, c4, c8, i2, bf},
    /* i4 */ {i4, i4, i4, i4, i8, f2, f4, f8, c4, c8, i4, bf},
    /* i8 */ {i8, i8, i8, i8, i8, f2, f4, f8, c4, c8, i8, bf},
    /* f2 */ {f2, f2, f2, f2, f2, f2, f4, f8, c4, c8, f2, f4},
    /* f4 */ {f4, f4, f4, f4, f4, f4, f4, f8, c4, c8, f4, f4},
    /* f8 */ {f8, f8, f8, f8, f8, f8, f8, f8, c8, c8, f8, f8},
    /* c4 */ {c4, c4, c4, c4, c4, c4, c4, c8, c4, c8, c4, c4},
    /* c8 */ {c8, c8, c8, c8, c8, c8, c8, c8, c8, c8, c8, c8},
    /* b1 */ {u1, i1, i2, i4, i8, f2, f4, f8, c4, c8, b1, bf},
    /* bf */ {bf, bf, bf, bf, bf, f4, f4, f8, c4, c8, bf, bf},
};
}  // namespace

DType promote(DType a, DType b) { return kPromotion[static_cast<int>(a)][static_cast<int>(b)]; }

}  // namespace rl
