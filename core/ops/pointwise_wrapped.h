// Records that are parts of ops with another signature (activation_glue.cpp, loss.cpp, view.cpp): the registry does not
// show them by themselves.
#pragma once

#include <type_traits>

namespace rl::pointwise {
struct Clamp;
struct ClampTensor;
struct Conj;
struct Cube;
struct DivFloor;
struct DivTrunc;
struct Pow;
struct PowTensorScalar;
struct PowScalarTensor;
struct RoundDecimals;
struct NanToNum;
struct Nextafter;
struct Logit;
struct LogitEps;
struct Where;
struct IsClose;
struct IsCloseEqualNan;
struct Gelu;
struct GeluTanh;
struct Real;
struct Imag;
struct TimesI;
struct MseElement;
struct L1Element;
struct SmoothL1Element;
struct HuberElement;
struct BceElement;
struct BceLogitsElement;
struct BceLogitsPosWeightElement;
struct SoftMarginElement;
struct KlDivElement;
struct KlDivLogElement;
struct PoissonNllElement;
}  // namespace rl::pointwise

namespace rl::detail {

template <class Op, class... List>
inline constexpr bool is_one_of = (std::is_same_v<Op, List> || ...);

template <class Op>
inline constexpr bool is_wrapped =
    is_one_of<Op, pointwise::Clamp, pointwise::ClampTensor, pointwise::Conj, pointwise::Cube, pointwise::DivFloor,
              pointwise::DivTrunc, pointwise::Pow, pointwise::PowTensorScalar, pointwise::PowScalarTensor,
              pointwise::RoundDecimals, pointwise::NanToNum, pointwise::Nextafter, pointwise::Logit,
              pointwise::LogitEps, pointwise::Where, pointwise::IsClose, pointwise::IsCloseEqualNan, pointwise::Gelu,
              pointwise::GeluTanh, pointwise::Real, pointwise::Imag, pointwise::TimesI, pointwise::MseElement,
              pointwise::L1Element, pointwise::SmoothL1Element, pointwise::HuberElement, pointwise::BceElement,
              pointwise::BceLogitsElement, pointwise::BceLogitsPosWeightElement, pointwise::SoftMarginElement,
              pointwise::KlDivElement, pointwise::KlDivLogElement, pointwise::PoissonNllElement>;

}  // namespace rl::detail
