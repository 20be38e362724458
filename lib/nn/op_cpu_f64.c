/* The CPU table in double. */
#define REAL double
#define REAL_IS_F32 0
#define OPS_TABLE grn_ops_cpu_f64
#include "nn/op_cpu_impl.h"
