/* The CPU table in float. */
#define REAL float
#define REAL_IS_F32 1
#define OPS_TABLE grn_ops_cpu_f32
#include "nn/op_cpu_impl.h"
