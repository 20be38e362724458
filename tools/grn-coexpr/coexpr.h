/* The subcommands of grn-coexpr, each in its own file. */
#ifndef GRN_COEXPR_COEXPR_H
#define GRN_COEXPR_COEXPR_H

#include "base/opt.h"

extern const grn_subtool_t coexpr_links_tool;   /* counts -> co-expression links of each context */
extern const grn_subtool_t coexpr_perturb_tool; /* regulons, activity, counts -> the graphs that training draws */
void coexpr_perturb_defaults(void);             /* before its options are read or shown */

#endif
