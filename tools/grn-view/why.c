#include "grn-view/why.h"

#include <string.h>

#include "base/log.h"

why_cli_t why_cli = { .format = "text" };

grn_status view_why(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    why_t w = { 0 };
    grn_out_t *o = NULL;
    int tsv = strcmp(why_cli.format, "tsv") == 0;
    if ((why_cli.cistromes != NULL) + (why_cli.scan != NULL) + (why_cli.hits != NULL) > 1)
        GRN_FAIL(GRN_EUSAGE, "give one of --cistromes, --scan and --motif-hits");
    if (why_cli.cistromes && why_cli.motif2tf)
        GRN_FAIL(GRN_EUSAGE,
                 "--motif2tf belongs to --scan and --motif-hits: cistromes name their TFs");
    if (strcmp(args->v[0], "-") == 0)
        GRN_FAIL(GRN_EUSAGE, "why reads the regulons from a file, not from standard input");
    GRN_TRY(why_load(&w, args->v[0], args->v[1], args->n > 2 ? args->v[2] : NULL));
    GRN_TRY(grn_out_open(&o, view_opt.out, 0));
    GRN_TRY(w.gene == WHY_NONE ? why_print_tf(&w, o, tsv) : why_print_gene(&w, o, tsv));
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    why_clear(&w);
    return rc;
}
