/* The topic sampler without special instructions. */
#define KERNEL grn_lda_kernel_base
#include "lda_kernel_impl.h"
