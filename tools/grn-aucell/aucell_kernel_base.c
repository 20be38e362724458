/* The loops of AUCell without special instructions. */
#define KERNEL aucell_kernel_base
#include "aucell_kernel_impl.h"
