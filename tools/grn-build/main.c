/* grn-build: gene regulatory networks from scATAC and scRNA data, one subcommand a step. */
#include "build.h"

int main(int argc, char **argv)
{
    const grn_subtool_t sub[] = {
        grn_build_peaks,
        grn_build_count,
        grn_build_qc,
        grn_build_topics,
        grn_build_dar,
        grn_build_scan,
        grn_build_rank,
        grn_build_enrich,
        grn_build_metacells,
        grn_build_link,
        grn_build_regulon,
        grn_build_prune,
        grn_build_perturb,
        grn_build_run,
    };
    return grn_tool_main_sub("grn-build", "gene regulatory networks from scATAC and scRNA data", sub, sizeof sub / sizeof *sub, argc, argv);
}
