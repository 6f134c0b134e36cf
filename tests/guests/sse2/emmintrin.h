// SSE2's intrinsics for guests: a library's SSE2 path, as x86-64 takes it natively, by SIMDe on wasm's 128-bit vectors.
#pragma once

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/sse2.h>
#include <wasm_simd128.h>

// One instruction on either machine; SIMDe 0.7.4 takes the vector apart byte by byte here.
#undef _mm_movemask_epi8
#define _mm_movemask_epi8(a) ((int)wasm_i8x16_bitmask(simde__m128i_to_wasm_v128(a)))
