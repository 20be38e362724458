/* grn-view: looks into every file of the tools and every input they read; converts, chooses,
 * merges, checks. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "grn-view/diff.h"
#include "grn-view/percell.h"
#include "grn-view/view.h"
#include "grn-view/why.h"
#include "io/result.h"

view_opt_t view_opt = {
    .out = "-", .format = "auto", .from = "auto", .join = "same", .counts = GRN_COUNTS_CLI_INIT
};

#define OUTPUT_FORMATS "auto|tsv|long|cells|features|fits|mtx|h5ad|sif|graphml|adj|eregulon|gmt|zst"
#define FILTERS \
    GRN_OPT_HEAD("Choice (NAME,NAME... or @FILE with one a line; options may be repeated)"), \
        GRN_OPT_LIST(0, "tf", "NAMES", &view_opt.tf, "edges of these TFs; columns of a matrix"), \
        GRN_OPT_LIST(0, "gene", "NAMES", &view_opt.gene, \
                     "edges to these genes; columns of a matrix"), \
        GRN_OPT_LIST(0, "region", "NAMES", &view_opt.region, \
                     "regions that overlap these (chr1:100-600)"), \
        GRN_OPT_LIST(0, "regulon", "NAMES", &view_opt.regulon, "these regulons"), \
        GRN_OPT_LIST(0, "context", "NAMES", &view_opt.context, "these contexts (cell types)"), \
        GRN_OPT_LIST(0, "cell", "NAMES", &view_opt.cell, "these cells (rows of a matrix)"), \
        GRN_OPT_LIST(0, "where", "COLUMN=VALUE", &view_opt.where, \
                     "cells with this value of an attribute")
#define INPUT \
    GRN_OPT_HEAD("Input"), \
        GRN_OPT_ENUM(0, "from", \
                     "auto|counts|network|gmt|genes|bed|fasta|fragments|motifs|motif2tf", \
                     &view_opt.from, "what a file that is not ours holds"), \
        GRN_COUNTS_OPTIONS(view_opt.counts)
#define OUTPUT(help) GRN_OPT_STR('o', "output", "FILE", &view_opt.out, help)
#define FORMAT(help) GRN_OPT_ENUM('O', "output-format", OUTPUT_FORMATS, &view_opt.format, help)

static const grn_opt_t view_table[] = {
    GRN_OPT_HEAD("What to show"),
    GRN_OPT_FLAG('H', "header", &view_opt.header, "summary and provenance only"),
    GRN_OPT_FLAG(0, "check", &view_opt.check,
                 "read and verify everything; silent when all is well"),
    GRN_OPT_STR(0, "tensor", "NAME", &view_opt.tensor, "one tensor of a container"),
    FILTERS,
    INPUT,
    GRN_OPT_HEAD("Output"),
    OUTPUT("where it goes; for mtx a FOLDER/"),
    FORMAT("form of the output"),
    GRN_OPT_FLAG(0, "pg", &view_opt.pg, "begin text with #PG lines of provenance"),
    GRN_OPT_END,
};
static const grn_opt_t subset_table[] = {
    FILTERS,
    INPUT,
    GRN_OPT_HEAD("Output"),
    OUTPUT("where it goes"),
    FORMAT("form of the output; auto is zst"),
    GRN_OPT_END,
};
static const grn_opt_t import_table[] = { INPUT, GRN_OPT_HEAD("Output"), OUTPUT("where it goes"),
                                          GRN_OPT_END };
static const grn_opt_t merge_table[] = {
    INPUT,
    GRN_OPT_HEAD("Merging"),
    GRN_OPT_ENUM(0, "join", "same|inner|outer", &view_opt.join,
                 "columns of matrices: must be the same, common ones, all"),
    GRN_OPT_FLAG(0, "tag", &view_opt.tag, "name cells CELL_1, CELL_2 ... by file"),
    GRN_OPT_HEAD("Output"),
    OUTPUT("where it goes"),
    GRN_OPT_END,
};
#define NETWORKS \
    GRN_OPT_HEAD("Input"), GRN_OPT_STR('a', "active", "FILE", &view_opt.active, "which regulon is on in which cell (grn-threshold)"), \
        GRN_OPT_STR('e', "edges", "FILE", &view_opt.edges, "regulons (grn-build)")
#define EDGES_CHOICE \
    GRN_OPT_HEAD("Edges (NAME,NAME... or @FILE with one a line; options may be repeated)"), \
        GRN_OPT_LIST(0, "tf", "NAMES", &view_opt.tf, "of these TFs"), \
        GRN_OPT_LIST(0, "gene", "NAMES", &view_opt.gene, "to these genes"), \
        GRN_OPT_LIST(0, "region", "NAMES", &view_opt.region, "with regions that overlap these (chr1:100-600)"), \
        GRN_OPT_LIST(0, "regulon", "NAMES", &view_opt.regulon, "of these regulons")
#define PG GRN_OPT_FLAG(0, "pg", &view_opt.pg, "begin text with #PG lines of provenance")
static const grn_opt_t cell_table[] = {
    NETWORKS,
    GRN_OPT_LIST(0, "context", "NAME", &view_opt.context, "take the edges of this context"),
    EDGES_CHOICE,
    GRN_OPT_HEAD("Output"),
    OUTPUT("where it goes"),
    FORMAT("form of the output: tsv, sif, graphml, adj, eregulon, gmt, zst"),
    PG,
    GRN_OPT_END,
};
static const grn_opt_t cells_table[] = {
    NETWORKS,
    EDGES_CHOICE,
    GRN_OPT_LIST(0, "context", "NAMES", &view_opt.context, "of these contexts (cell types)"),
    GRN_OPT_HEAD("Output"),
    OUTPUT("where it goes"),
    GRN_OPT_FLAG('c', "count", &view_opt.count, "how many cells of each context instead of which"),
    PG,
    GRN_OPT_END,
};

static const grn_opt_t diff_table[] = {
    NETWORKS,
    GRN_OPT_STR(0, "cells", "TSV", &diff_cli.cells, "labels of the cells: a header, first column the barcode"),
    GRN_OPT_HEAD("Groups (options may be repeated)"),
    GRN_OPT_LIST(0, "a", "GROUP", &diff_cli.a, "group A: COLUMN=VALUE[,VALUE], or @FILE of barcodes"),
    GRN_OPT_LIST(0, "b", "GROUP", &diff_cli.b, "group B: the same, or rest: all other cells [rest]"),
    GRN_OPT_LIST(0, "where", "COLUMN=VALUE", &view_opt.where, "of both groups only cells with this value"),
    GRN_OPT_LIST(0, "context", "NAMES", &view_opt.context, "only cells and edges of these contexts (cell types)"),
    EDGES_CHOICE,
    GRN_OPT_HEAD("Test"),
    GRN_OPT_ENUM(0, "test", "auto|cells|context|donor", &diff_cli.test,
                 "what decides: all cells, cells within contexts, or donors; auto: donor with --donor, else context"),
    GRN_OPT_STR(0, "donor", "COLUMN", &diff_cli.donor, "who the cells are from"),
    GRN_OPT_ENUM(0, "donor-test", "t|permutation", &diff_cli.donor_test, "Welch's or paired t over donors, or exact permutations"),
    GRN_OPT_INT(0, "min-cells", "INT", &diff_cli.min_cells, 1, 1e9, "cells of a donor in the contexts of an edge, at least"),
    GRN_OPT_FLT(0, "max-q", "FLOAT", &diff_cli.max_q, 0, 1, "false discovery rate of what is printed, at most"),
    GRN_OPT_FLT(0, "min-diff", "FLOAT", &diff_cli.min_diff, 0, 1, "difference of the frequencies, at least"),
    GRN_OPT_INT(0, "null", "INT", &diff_cli.null, 0, 10000, "count also what passes with the groups exchanged at random so many times"),
    GRN_OPT_HEAD("Output"),
    OUTPUT("where it goes"),
    PG,
    GRN_OPT_END,
};

static const grn_opt_t why_table[] = {
    GRN_OPT_HEAD("What the regulons were made from"),
    GRN_OPT_STR('t', "tf-gene", "FILE", &why_cli.tf_gene, "TF to gene links [as the regulons tell]"),
    GRN_OPT_STR('r', "region-gene", "FILE", &why_cli.region_gene, "region to gene links [as the regulons tell]"),
    GRN_OPT_STR(0, "cistromes", "FILE", &why_cli.cistromes, "TF to region edges [as the regulons tell]"),
    GRN_OPT_STR('s', "scan", "FILE", &why_cli.scan, "or: regions x motifs"),
    GRN_OPT_STR(0, "motif-hits", "BED", &why_cli.hits, "or: motif hits"),
    GRN_OPT_STR(0, "motif2tf", "FILE", &why_cli.motif2tf, "which TFs a motif stands for [as the regulons tell]"),
    GRN_OPT_STR(0, "rna", "FILE", &why_cli.rna, "the RNA matrix: who is seen in which type"),
    GRN_OPT_STR(0, "atac", "FILE", &why_cli.atac, "the ATAC matrix: what is open in which type"),
    GRN_OPT_LIST(0, "context", "NAME", &view_opt.context, "this cell type alone; may be repeated"),
    GRN_OPT_HEAD("Input"),
    GRN_COUNTS_OPTIONS(view_opt.counts),
    GRN_OPT_STR(0, "atac-feature-type", "NAME", &why_cli.atac_feature_type, "10x feature type of ATAC, such as Peaks"),
    GRN_OPT_STR(0, "atac-layer", "NAME", &why_cli.atac_layer, "h5ad or loom layer of ATAC [counts where found]"),
    GRN_OPT_HEAD("Output"),
    OUTPUT("where it goes"),
    GRN_OPT_ENUM('O', "output-format", "text|tsv", &why_cli.format, "for people, or what, of, context, key, value"),
    GRN_OPT_END,
};

/* ---- runs ---- */

static grn_status view_result(const char *path)
{
    grn_status rc = GRN_OK;
    grn_result_t r = { 0 };
    grn_out_t *o = NULL;
    if (!view_format_is("tsv", "tsv"))
        GRN_FAIL(GRN_EUSAGE, "a result table can be written as tsv only");
    GRN_TRY(grn_result_load(path, grn_common.pool, &r));
    GRN_TRY(grn_out_open(&o, view_opt.out, 0));
    GRN_TRY(grn_result_print(&r, o));
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    grn_result_clear(&r);
    return rc;
}

/* dflt: the form when none is asked for; NULL: the kind's own. */
static grn_status show(const char *path, view_kind kind, const char *dflt)
{
    switch (kind) {
    case VIEW_MATRIX:
    case VIEW_COUNTS: return view_matrix(path, dflt);
    case VIEW_EDGES:
    case VIEW_NETWORK:
    case VIEW_GMT: return view_edges(path, kind, dflt ? dflt : "tsv");
    case VIEW_ACTIVITY: return view_activity(path, dflt);
    case VIEW_GENES:
    case VIEW_BED:
    case VIEW_FASTA:
    case VIEW_FRAGMENTS:
    case VIEW_MOTIFS:
    case VIEW_MOTIF2TF:
        if (!dflt) return view_genome(view_real_path(path), kind, 0, view_opt.out);
        break;
    case VIEW_EMBEDDING:
        if (!dflt) return view_embedding(path);
        break;
    case VIEW_LOWRANK:
        if (!dflt) return view_lowrank(path);
        break;
    case VIEW_RESULT:
        if (!dflt) return view_result(path);
        break;
    default:
        if (!dflt && strcmp(view_opt.format, "auto") == 0) return view_summary(path, kind);
        break;
    }
    return grn_err(
        GRN_EINVAL,
        "'%s' cannot be cut or converted; -H shows what it holds, --tensor NAME prints a tensor",
        path);
}

static grn_status run_view(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    view_kind kind;
    if (args->n > 1 && !view_opt.check && !view_opt.header)
        return grn_err(GRN_EUSAGE, "one file at a time; see grn-view merge --help");
    for (int i = 0; i < args->n; i++) {
        const char *path = args->v[i];
        GRN_TRY(grn_path_rewindable(&path));
        GRN_TRY(view_kind_of(path, &kind));
        if (view_opt.check) rc = view_check(path, kind);
        else if (view_opt.header) rc = view_summary(path, kind);
        else if (view_opt.tensor) rc = view_tensor(path, view_opt.tensor);
        else rc = show(path, kind, NULL);
        GRN_TRY(rc);
    }
end:
    return rc;
}

static grn_status run_subset(const grn_args_t *args)
{
    view_kind kind;
    const char *path = args->v[0];
    grn_status rc = grn_path_rewindable(&path);
    if (rc == GRN_OK) rc = view_kind_of(path, &kind);
    return rc ? rc : show(path, kind, "zst");
}

static grn_status run_cell(const grn_args_t *args)
{
    return view_cell(args);
}

static grn_status run_cells(const grn_args_t *args)
{
    (void)args;
    return view_cells();
}

static grn_status run_diff(const grn_args_t *args)
{
    (void)args;
    return view_diff();
}

static const grn_tool_t view_tool = {
    "grn-view",
    "Looks into every file of the tools and every input they read; chooses and converts.",
    "[options] FILE\n"
    "       grn-view subset|import|merge|cell|cells|diff|why [options] ...    (see below, and grn-view subset "
    "--help)",
    view_table,
    1,
    -1,
    "  grn-view -H regulons.edges.zst                   what it is and how it was made\n"
    "  grn-view regulons.edges.zst | head               edges as TSV\n"
    "  grn-view --tf SPI1 -O sif regulons.edges.zst     one TF's targets for Cytoscape\n"
    "  grn-view --where donor=D1 -O h5ad -o d1.h5ad counts.tensor.zst\n"
    "  grn-view --check *.zst                           verify every byte\n"
    "\nOther commands:\n"
    "  grn-view subset [choice] -o OUT FILE             a file of the same kind with less in it\n"
    "  grn-view import -o OUT FILE                      any input as a container\n"
    "  grn-view merge [--join same|inner|outer] [--tag] -o OUT FILE FILE...\n"
    "  grn-view cell --active FILE --edges FILE BARCODE the network of one cell\n"
    "  grn-view cells --active FILE --edges FILE --tf SPI1 --gene CD14    the cells that have an edge\n"
    "  grn-view diff --active FILE --edges FILE --cells TSV --a dx=AD  edges that differ between groups\n"
    "  grn-view why REGULONS TF [GENE]                  what is behind an edge or its absence\n",
};

static const grn_subtool_t subtools[] = {
    { { "grn-view subset", "Chooses rows and columns of a file and writes a file of the same kind.", "[options] FILE", subset_table, 1,
        1, "  grn-view subset --context Monocyte -o mono.edges.zst regulons.edges.zst\n" },
      run_subset },
    { { "grn-view import", "Reads any input into a container: matrices of every format, TF -> gene tables, gene sets.",
        "[options] FILE", import_table, 1, 1,
        "  grn-view import --cells labels.tsv -o counts.tensor.zst "
        "filtered_feature_bc_matrix.h5\n" },
      run_subset },
    { { "grn-view merge", "Joins edges, or matrices one below the other.", "[options] FILE FILE...", merge_table, 2, -1,
        "  grn-view merge -o all.edges.zst chr1.edges.zst chr2.edges.zst\n" },
      view_merge },
    { { "grn-view cell", "The network of one cell, or of several: edges of its context whose regulon is on in it.",
        "-a ACTIVE -e EDGES [options] BARCODE|@FILE...", cell_table, 1, -1,
        "  grn-view cell -a active.tensor.zst -e regulons.edges.zst AAACCTGA-1\n"
        "  grn-view cell -a active.tensor.zst -e regulons.edges.zst --tf SPI1 -O sif AAACCTGA-1 @more.txt\n" },
      run_cell },
    { { "grn-view cells", "The cells that have an edge, or any of the edges chosen.", "-a ACTIVE -e EDGES [options]", cells_table, 0, 0,
        "  grn-view cells -a active.tensor.zst -e regulons.edges.zst --tf SPI1 --gene CD14\n"
        "  grn-view cells -a active.tensor.zst -e regulons.edges.zst --count --tf SPI1 --region chr5:140630000-140640000\n" },
      run_cells },
    { { "grn-view diff", "The differential network: edges that are more frequent in the cells of one group than of another.",
        "-a ACTIVE -e EDGES --cells TSV --a COLUMN=VALUE [--b COLUMN=VALUE] [options]", diff_table, 0, 0,
        "  grn-view diff -a active.tensor.zst -e regulons.edges.zst --cells cells.tsv --a dx=AD --b dx=control --donor donor\n"
        "  grn-view diff -a active.tensor.zst -e regulons.edges.zst --a @treated.txt --tf SPI1,CEBPA\n" },
      run_diff },
    { { "grn-view why", "Why a TF does, or does not, regulate a gene: every filter of grn-build regulon, gone through again.",
        "[options] REGULONS.edges.zst TF [GENE]", why_table, 2, 3,
        "  grn-view why regulons.edges.zst CEBPA LYZ\n"
        "  grn-view why --context Monocyte --rna rna.h5ad --atac atac.tensor.zst regulons.edges.zst CEBPA LYZ\n"
        "  grn-view why -O tsv regulons.edges.zst CEBPA\n" },
      view_why },
};

int main(int argc, char **argv)
{
    static const char *const word[] = { "subset", "import", "merge", "cell", "cells", "diff", "why", "help" };
    for (size_t i = 0; argc > 1 && i < sizeof word / sizeof *word; i++)
        if (strcmp(argv[1], word[i]) == 0)
            return grn_tool_main_sub("grn-view", view_tool.brief, subtools,
                                     sizeof subtools / sizeof *subtools, argc, argv);
    return grn_tool_main(&view_tool, argc, argv, run_view);
}
