/* grn-eval: benchmarks with honest baselines beside every claim. */
#include "grn-eval/eval.h"

int main(int argc, char **argv)
{
    const grn_subtool_t sub[] = { grn_eval_activity, grn_eval_attention, grn_eval_calibration, grn_eval_masked,
                                  grn_eval_network, grn_eval_regulons, grn_eval_report };
    return grn_tool_main_sub("grn-eval", "Benchmarks with honest baselines beside every claim.",
                             sub, sizeof sub / sizeof *sub, argc, argv);
}
