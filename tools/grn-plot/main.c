/* grn-plot: figures of the files the other tools write, drawn by gnuplot. */
#include "base/opt.h"
#include "grn-plot/plot.h"

int main(int argc, char **argv)
{
    const grn_subtool_t sub[] = { grn_plot_activity, grn_plot_attention, grn_plot_bars,
                                  grn_plot_curve,    grn_plot_degree,    grn_plot_funnel,
                                  grn_plot_loss,     grn_plot_onoff,    grn_plot_qc,
                                  grn_plot_topics };
    return grn_tool_main_sub("grn-plot",
                             "Figures of the files the other tools write, drawn by gnuplot.", sub,
                             sizeof sub / sizeof *sub, argc, argv);
}
