/* The CPU table in float, compiled with AVX2 instructions (see the makefile); same bits as
 * op_cpu_f32.c. */
#if defined(__x86_64__)
#define REAL float
#define REAL_IS_F32 1
#define OPS_TABLE grn_ops_cpu_f32_avx2
#include "nn/op_cpu_impl.h"
#else
typedef int grn_not_x86_64;
#endif
