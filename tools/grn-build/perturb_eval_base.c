/* Predictions without special instructions. */
#define EVAL grn_perturb_eval_base
#include "perturb_eval_impl.h"
