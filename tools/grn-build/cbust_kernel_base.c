/* Cluster and occupancy scores without special instructions. */
#define KERNEL grn_cbust_kernel_base
#include "cbust_kernel_impl.h"
