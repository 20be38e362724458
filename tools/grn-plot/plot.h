/* The figures of grn-plot: one table entry and one run function each. */
#ifndef GRN_PLOT_PLOT_H
#define GRN_PLOT_PLOT_H

#include "base/opt.h"

extern const grn_subtool_t
    grn_plot_activity; /* AUCell histograms with the fitted mixture and threshold */
extern const grn_subtool_t grn_plot_onoff; /* share of cells with a regulon on, by type */
extern const grn_subtool_t grn_plot_loss; /* training log */
extern const grn_subtool_t
    grn_plot_curve; /* precision-recall, ROC and other curves of a result table */
extern const grn_subtool_t
    grn_plot_bars; /* one number per row of a result table, with its interval */
extern const grn_subtool_t grn_plot_funnel;    /* edges kept and lost at each filter */
extern const grn_subtool_t grn_plot_degree;    /* degrees of TFs and other genes */
extern const grn_subtool_t grn_plot_qc;        /* quality of scATAC barcodes */
extern const grn_subtool_t grn_plot_attention; /* attention received by TFs and other genes */
extern const grn_subtool_t grn_plot_topics; /* topic models of different sizes */

#endif
