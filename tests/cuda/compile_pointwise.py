"""Compiles every pointwise op and every gradient for CUDA with NVRTC: needs no GPU, only `pip install nvidia-cuda-nvrtc`.

Usage: python tests/cuda/compile_pointwise.py [--arch sm_90] [header ...]
Exits with a failure if any header does not compile.
"""

import argparse
import ctypes
import pathlib
import re
import site
import sys
import time

CORE = pathlib.Path(__file__).resolve().parents[2] / "core"
FOLDER = CORE / "kernels" / "pointwise"

# One kernel per op, type and direction: the loops of the lists are templates, so a new record needs nothing here.
SOURCE = r"""
#include "kernels/pointwise/{header}"
using namespace rl::pointwise;

struct HalfBits {{ unsigned short bits; }};
template <class S> struct Compute {{ using type = S; }};
template <> struct Compute<HalfBits> {{ using type = float; }};
__device__ inline float load(const HalfBits* p) {{
  float f;
  asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(p->bits));
  return f;
}}
__device__ inline float load(const float* p) {{ return *p; }}
__device__ inline double load(const double* p) {{ return *p; }}
template <class V> __device__ inline void store(HalfBits* p, V v) {{
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(p->bits) : "f"(static_cast<float>(v)));
}}
template <class V> __device__ inline void store(float* p, V v) {{ *p = static_cast<float>(v); }}
template <class V> __device__ inline void store(double* p, V v) {{ *p = static_cast<double>(v); }}
template <class S, class T> __device__ inline void put(S* p, Pair<T> v) {{ store(p, v.re); store(p, v.im); }}
template <class S, class V> __device__ inline void put(S* p, V v) {{ store(p, v); }}

template <int... I> struct Ints {{}};
template <int N, int... I> struct Upto : Upto<N - 1, N - 1, I...> {{}};
template <int... I> struct Upto<0, I...> {{ using type = Ints<I...>; }};

template <class Op, class S, int... I>
__device__ void forward(const S* const* in, S* out, long long i, Ints<I...>) {{
  if constexpr (Op::rule == Rule::Select) put(out + i, Op::forward(load(in[0] + i) != 0, load(in[1] + i), load(in[2] + i)));
  else put(out + i, Op::forward(load(in[I] + i)...));
}}
template <class Op, int W, class S, int... I>
__device__ void backward(const S* const* in, S* out, long long i, Ints<I...>) {{
  if constexpr (Op::rule == Rule::Select)
    put(out + i, grad<Op, W>(load(in[0] + i), load(in[1] + i) != 0, load(in[2] + i), load(in[3] + i), load(in[4] + i)));
  else put(out + i, grad<Op, W>(load(in[I] + i)...));
}}
template <class Op, class S> __global__ void forward_kernel(const S* const* in, S* out, long long n) {{
  long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
  if (i < n) forward<Op, S>(in, out, i, typename Upto<arity<Op>.inputs()>::type());
}}
template <class Op, int W, class S> __global__ void backward_kernel(const S* const* in, S* out, long long n) {{
  long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
  if (i < n) backward<Op, W, S>(in, out, i, typename Upto<arity<Op>.inputs() + 2>::type());
}}
template <class S, class Op> __device__ void instantiate_one(void** p) {{
  if constexpr (computes_in<Op, float>) {{
    *p = (void*)&forward_kernel<Op, S>;
    if constexpr (has_grad<Op, 0>()) *p = (void*)&backward_kernel<Op, 0, S>;
    if constexpr (has_grad<Op, 1>()) *p = (void*)&backward_kernel<Op, 1, S>;
    if constexpr (has_grad<Op, 2>()) *p = (void*)&backward_kernel<Op, 2, S>;
    if constexpr (has_grad<Op, 3>()) *p = (void*)&backward_kernel<Op, 3, S>;
  }}
}}
template <class S, class... Ops> __device__ void instantiate(List<Ops...>, void* volatile* p) {{
  (instantiate_one<S, Ops>((void**)p), ...);
}}
extern "C" __global__ void every_op(void* volatile* p) {{
  instantiate<{storage}>({ops}(), p);
}}
"""


def load_nvrtc():
    roots = site.getsitepackages() + [site.getusersitepackages()]
    for root in roots:
        for path in sorted(pathlib.Path(root).glob("nvidia/**/libnvrtc.so.*"), reverse=True):
            if "builtins" not in path.name and "alt" not in path.parts[-1]:
                return ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
    sys.exit("no libnvrtc found: pip install nvidia-cuda-nvrtc")


def compile_source(nvrtc, source, arch):
    """Returns (log, ptx); ptx is None when compiling failed."""
    program = ctypes.c_void_p()
    nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"pointwise.cu", 0, None, None)
    options = [
        f"--gpu-architecture={arch}",
        "--std=c++20",
        "--fmad=false",
        "--device-as-default-execution-space",
        f"--include-path={CORE}",
    ]
    array = (ctypes.c_char_p * len(options))(*[o.encode() for o in options])
    status = nvrtc.nvrtcCompileProgram(program, len(options), array)
    size = ctypes.c_size_t()
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetProgramLog(program, log)
    ptx = None
    if status == 0:
        nvrtc.nvrtcGetPTXSize(program, ctypes.byref(size))
        text = ctypes.create_string_buffer(size.value)
        nvrtc.nvrtcGetPTX(program, text)
        ptx = text.value.decode()
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return log.value.decode(), ptx


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--arch", default="compute_90")
    parser.add_argument("headers", nargs="*")
    args = parser.parse_args()
    nvrtc = load_nvrtc()
    failed, kernels = [], 0
    for path in sorted(FOLDER.glob("*.h")):
        lists = re.findall(r"^using (\w+Ops) =", path.read_text(), re.M)
        if not lists or (args.headers and path.name not in args.headers):
            continue
        for storage in ("float", "double", "HalfBits"):
            start = time.time()
            log, ptx = compile_source(nvrtc, SOURCE.format(header=path.name, ops=lists[0], storage=storage), args.arch)
            entries = len(re.findall(r"^\.visible \.entry|^\.entry|\.entry ", ptx, re.M)) - 1 if ptx else 0
            kernels += entries
            print(f"{path.name:16} {storage:9} {entries:4} kernels {time.time() - start:6.1f} s", flush=True)
            if ptx is None:
                failed.append((path.name, storage))
                print(log[:4000])
    print(f"{kernels} kernels compiled for {args.arch}; {len(failed)} failures {failed or ''}")
    return 1 if failed or not kernels else 0


if __name__ == "__main__":
    sys.exit(main())
