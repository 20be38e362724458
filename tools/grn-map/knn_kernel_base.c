/* The nearest-neighbour search without special instructions. */
#define KERNEL knn_kernel_base
#include "knn_kernel_impl.h"
