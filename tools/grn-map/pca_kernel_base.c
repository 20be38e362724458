/* Products of principal components without special instructions. */
#define KERNEL pca_product_base
#include "pca_kernel_impl.h"
