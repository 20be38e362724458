#include <string.h>

#include "build.h"
#include "metacells.h"
#include "options.h"

static struct {
    grn_metacells_opt_t o;
    grn_counts_cli_t rna;
    grn_atac_cli_t atac;
    const char *pair, *combine, *atac_cells;
    int64_t size, per_type, min_cells;
} opt = { .o = { .out_rna = "-" }, .rna = GRN_COUNTS_CLI_INIT, .pair = "cells", .combine = "sum", .size = 10 };

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "FILE", &opt.o.out_rna, "metacells x genes"),
    GRN_OPT_STR('a', "atac-output", "FILE", &opt.o.out_atac, "metacells x regions, the same rows"),
    GRN_OPT_STR(0, "members", "FILE", &opt.o.members, "and a table of which cells are in which metacell"),
    GRN_OPT_HEAD("Metacells"),
    GRN_OPT_ENUM(0, "pair", "cells|types", &opt.pair,
                 "RNA and ATAC are of the same cells, joined by barcode; or of different cells of the same types"),
    GRN_OPT_INT(0, "size", "INT", &opt.size, 1, 1000000, "cells of a metacell"),
    GRN_OPT_INT(0, "per-type", "INT", &opt.per_type, 0, 1000000, "metacells of a type; 0: so many that a cell is in about two"),
    GRN_OPT_INT(0, "min-cells", "INT", &opt.min_cells, 0, 1000000000, "types with fewer cells are left out; 0: half of --size"),
    GRN_OPT_STR(0, "by", "COLUMN", &opt.o.by, "cells of a metacell also agree in this column, such as the donor"),
    GRN_OPT_ENUM(0, "combine", "sum|mean", &opt.combine, "what a value is"),
    GRN_OPT_HEAD("Input"),
    GRN_COUNTS_OPTIONS(opt.rna),
    GRN_OPT_STR(0, "atac-cells", "TSV", &opt.atac_cells, "with --pair types: labels of the ATAC cells [those of --cells]"),
    GRN_ATAC_OPTIONS(opt.atac, "ATAC"),
    GRN_OPT_END,
};

static grn_status check_options(const grn_args_t *args)
{
    const grn_metacells_opt_t *o = &opt.o;
    int types = opt.pair[0] == 't';
    if (args->n > 1 && !o->out_atac) return grn_err(GRN_EUSAGE, "give a file for the ATAC metacells: --atac-output FILE");
    if (args->n < 2 && o->out_atac) return grn_err(GRN_EUSAGE, "--atac-output needs an ATAC matrix after the RNA matrix");
    if (args->n < 2 && types) return grn_err(GRN_EUSAGE, "--pair types needs an ATAC matrix after the RNA matrix");
    if (opt.atac_cells && !types)
        return grn_err(GRN_EUSAGE, "--atac-cells is for --pair types: cells of both assays have the labels of --cells");
    const char *const out[] = { o->out_rna, o->out_atac, o->members };
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < i; k++)
            if (out[i] && out[k] && !strcmp(out[i], out[k]))
                return grn_err(GRN_EUSAGE, "--output, --atac-output and --members are to be different files; '%s' is given twice",
                               out[i]);
    return GRN_OK;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_metacells_opt_t *o = &opt.o;
    GRN_TRY(check_options(args));
    GRN_TRY(grn_counts_cli(&opt.rna, &o->rna_opt));
    o->atac_opt = (grn_counts_opt_t)GRN_COUNTS_OPT_INIT;
    grn_atac_cli(&opt.atac, &o->atac_opt);
    o->rna = args->v[0];
    o->atac = args->n > 1 ? args->v[1] : NULL;
    o->pair = opt.pair[0] == 't' ? GRN_PAIR_TYPES : GRN_PAIR_CELLS;
    if (o->pair == GRN_PAIR_TYPES) {
        o->atac_opt.cells_tsv = opt.atac_cells ? opt.atac_cells : opt.rna.cells_tsv;
        o->atac_opt.cell_type = opt.rna.cell_type;
        o->atac_opt.donor = opt.rna.donor;
    }
    o->mean = opt.combine[0] == 'm';
    o->size = (size_t)opt.size;
    o->per_type = (size_t)opt.per_type;
    o->min_cells = opt.min_cells ? (size_t)opt.min_cells : (o->size + 1) / 2;
    o->seed = grn_common.seed;
    GRN_TRY(grn_metacells_run(o));
end:
    return rc;
}

const grn_subtool_t grn_build_metacells = {
    .tool = { .name = "grn-build metacells",
              .brief = "pool cells of one type to metacells, in RNA and ATAC alike",
              .usage = "[options] -o RNA_METACELLS [-a ATAC_METACELLS] RNA [ATAC]",
              .opt = table,
              .min_args = 1,
              .max_args = 2,
              .examples =
                  "  grn-build metacells --cells types.tsv -o rna.meta.zst -a atac.meta.zst rna.h5ad atac.tensor.zst\n"
                  "  grn-build metacells --pair types --cells rna.tsv --atac-cells atac.tsv -o rna.meta.zst -a atac.meta.zst "
                  "rna.h5ad other_cells.tensor.zst\n" },
    .run = run,
};
