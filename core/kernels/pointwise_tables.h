// The loop tables of the pointwise lists, one per header in kernels/pointwise/.
#pragma once

#include <array>

#include "kernels/pointwise/activation.h"
#include "kernels/pointwise/arithmetic.h"
#include "kernels/pointwise/compare.h"
#include "kernels/pointwise/complex.h"
#include "kernels/pointwise/exponential.h"
#include "kernels/pointwise/loss.h"
#include "kernels/pointwise/rounding.h"
#include "kernels/pointwise/special.h"
#include "kernels/pointwise/trig.h"
#include "kernels/pointwise_loops.h"

namespace rl::cpu {

template <class List> using LoopTable = std::array<PointwiseLoops, List::size>;
template <class List> using ComplexLoopTable = std::array<ComplexPointwiseLoops, List::size>;

using ArithmeticLoops = LoopTable<pointwise::ArithmeticOps>;
using CompareLoops = LoopTable<pointwise::CompareOps>;
using ComplexLoops = LoopTable<pointwise::ComplexOps>;
using ExponentialLoops = LoopTable<pointwise::ExponentialOps>;
using TrigLoops = LoopTable<pointwise::TrigOps>;
using RoundingLoops = LoopTable<pointwise::RoundingOps>;
using ActivationLoops = LoopTable<pointwise::ActivationOps>;
using LossLoops = LoopTable<pointwise::LossOps>;
using SpecialLoops = LoopTable<pointwise::SpecialOps>;

RL_ISA_TABLE(ArithmeticLoops, arithmetic_loops)
RL_ISA_TABLE(CompareLoops, compare_loops)
RL_AVX2_TABLE(ComplexLoops, complex_loops)
RL_ISA_TABLE(ExponentialLoops, exponential_loops)
RL_ISA_TABLE(TrigLoops, trig_loops)
RL_AVX2_TABLE(RoundingLoops, rounding_loops)
RL_ISA_TABLE(ActivationLoops, activation_loops)
RL_AVX2_TABLE(LossLoops, loss_loops)
RL_AVX2_TABLE(SpecialLoops, special_loops)

// The lists that have complex elements.
RL_AVX2_TABLE(ComplexLoopTable<pointwise::ArithmeticOps>, arithmetic_of_complex)
RL_AVX2_TABLE(ComplexLoopTable<pointwise::CompareOps>, compare_of_complex)
RL_AVX2_TABLE(ComplexLoopTable<pointwise::ComplexOps>, complex_of_complex)
RL_AVX2_TABLE(ComplexLoopTable<pointwise::ExponentialOps>, exponential_of_complex)
RL_AVX2_TABLE(ComplexLoopTable<pointwise::TrigOps>, trig_of_complex)
RL_AVX2_TABLE(ComplexLoopTable<pointwise::RoundingOps>, rounding_of_complex)
RL_AVX2_TABLE(ComplexLoopTable<pointwise::ActivationOps>, activation_of_complex)

}  // namespace rl::cpu
