/* The site scanner without special instructions. */
#define KERNEL grn_sites_kernel_base
#include "sites_kernel_impl.h"
