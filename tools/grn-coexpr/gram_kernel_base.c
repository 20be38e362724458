/* The products of genes without special instructions. */
#define KERNEL coexpr_gram_base
#include "gram_kernel_impl.h"
