/* The pass of EM without special instructions. */
#define PASS grn_mix2_pass_base
#include "stat/mixture_kernel_impl.h"
