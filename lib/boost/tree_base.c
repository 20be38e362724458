/* The tree compiled portably. */
#define TREE grn_tree_base
#define LANES 16
#include "boost/tree_impl.h"
