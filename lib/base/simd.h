/* Which of the copies of a vector kernel this machine can run: they are compiled with the flags of VECTOR and AVX512 in the makefile. */
#ifndef GRN_BASE_SIMD_H
#define GRN_BASE_SIMD_H

typedef enum { GRN_SIMD_BASE, GRN_SIMD_AVX2, GRN_SIMD_AVX512 } grn_simd; /* each includes those before */

static inline grn_simd grn_simd_level(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return GRN_SIMD_AVX512;
    if (__builtin_cpu_supports("avx2")) return GRN_SIMD_AVX2;
#endif
    return GRN_SIMD_BASE;
}

#endif
