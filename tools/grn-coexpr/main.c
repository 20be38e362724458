/* grn-coexpr: co-expression links of each context, and the graphs that training perturbs with them. */
#include <string.h>

#include "grn-coexpr/coexpr.h"

int main(int argc, char **argv)
{
    const grn_subtool_t sub[] = { coexpr_links_tool, coexpr_perturb_tool };
    static const char *const words[] = { "links", "perturb", "help", "-h", "--help", "--version" };
    static const char brief[] = "co-expression links, and the graphs that training perturbs with them";
    coexpr_perturb_defaults();
    for (size_t i = 0; i < sizeof words / sizeof *words && argc > 1; i++)
        if (strcmp(argv[1], words[i]) == 0) return grn_tool_main_sub("grn-coexpr", brief, sub, 2, argc, argv);
    if (argc < 2) return grn_tool_main_sub("grn-coexpr", brief, sub, 2, argc, argv);
    return grn_tool_main(&sub[0].tool, argc, argv, sub[0].run); /* grn-coexpr COUNTS */
}
