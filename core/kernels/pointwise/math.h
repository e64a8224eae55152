// Mathematical functions of numbers, all of them; see the parts.
#pragma once

#include "kernels/pointwise/math_basic.h"
#include "kernels/pointwise/math_libm.h"
