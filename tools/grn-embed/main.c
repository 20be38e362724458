/* grn-embed: embeddings of genes in the regulatory graphs of cell types or single cells. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/str.h"
#include "grn-embed/link.h"
#include "grn-embed/output.h"
#include "grn-embed/train.h"
#include "io/activity.h"
#include "io/counts.h"
#include "io/edges.h"
#include "io/tflist.h"
#include "model/model.h"

static struct {
    const char *edges, *activity, *out, *level, *barcodes, *model, *direction, *metrics;
    grn_opt_list_t barcode;
    int64_t dim, fanout;
    int last_act, l2norm;
    double holdout, neg_weight;
    train_opt_t train;
    grn_counts_cli_t counts;
} opt = { .out = "-",
          .level = "type",
          .direction = "both",
          .dim = 64,
          .fanout = 10,
          .holdout = 0.1,
          .neg_weight = 1,
          .train = { 10, 5, 1, 512, 200, 0.01, 0 },
          .counts = GRN_COUNTS_CLI_INIT };

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Input"),
    GRN_OPT_STR('e', "edges", "FILE", &opt.edges, "regulatory edges with contexts (needed)"),
    GRN_OPT_STR('a', "activity", "FILE", &opt.activity,
                "which regulon is on in which cell (needed for --level cell)"),
    GRN_COUNTS_OPTIONS(opt.counts),
    GRN_OPT_HEAD("What"),
    GRN_OPT_STR('o', "output", "FILE", &opt.out, "where the embeddings go"),
    GRN_OPT_ENUM(0, "level", "type|cell", &opt.level,
                 "graphs of cell types, or of the cells chosen below"),
    GRN_OPT_LIST(0, "barcode", "NAME", &opt.barcode, "a cell; may be given several times"),
    GRN_OPT_STR(0, "barcodes", "FILE", &opt.barcodes, "cells, one name a line"),
    GRN_OPT_STR(0, "model", "FILE", &opt.model,
                "use the graph encoder of this trained model; nothing is trained here"),
    GRN_OPT_STR(0, "metrics", "FILE", &opt.metrics,
                "save the table of the held-out links (grn.result/1)"),
    GRN_OPT_HEAD("Encoder"),
    GRN_OPT_INT('d', "dim", "INT", &opt.dim, 1, 4096, "width of features and embeddings"),
    GRN_OPT_INT(0, "fanout", "INT", &opt.fanout, 0, 100000,
                "neighbours sampled per gene and layer in training; 0: all"),
    GRN_OPT_ENUM(0, "direction", "both|in|out", &opt.direction,
                 "whom a gene listens to: both ends, its regulators, its targets"),
    GRN_OPT_FLAG(0, "last-act", &opt.last_act, "ReLU after the second layer too"),
    GRN_OPT_FLAG(0, "l2norm", &opt.l2norm, "embeddings of length 1"),
    GRN_OPT_HEAD("Training"),
    GRN_OPT_INT(0, "epochs", "INT", &opt.train.epochs, 1, 100000, "passes over fresh random walks"),
    GRN_OPT_INT(0, "walks", "INT", &opt.train.walks, 1, 10000,
                "random walks from each gene per epoch"),
    GRN_OPT_INT(0, "walk-length", "INT", &opt.train.length, 1, 1000, "steps of a walk"),
    GRN_OPT_INT(0, "negatives", "INT", &opt.train.negatives, 1, 10000,
                "genes drawn by degree^0.75 per batch"),
    GRN_OPT_FLT(0, "negative-weight", "FLOAT", &opt.neg_weight, 0, 10000,
                "weight of the mean negative term in the loss"),
    GRN_OPT_INT(0, "batch", "INT", &opt.train.batch, 1, 1000000, "pairs per step"),
    GRN_OPT_FLT(0, "lr", "FLOAT", &opt.train.lr, 1e-9, 10,
                "peak learning rate of AdamW (cosine to 0)"),
    GRN_OPT_FLT(0, "decay", "FLOAT", &opt.train.decay, 0, 1, "weight decay"),
    GRN_OPT_FLT(0, "holdout", "FLOAT", &opt.holdout, 0, 0.5,
                "share of links kept out of training for the test"),
    GRN_OPT_END,
};

static const grn_tool_t tool = {
    "grn-embed",
    "Embeddings of genes in the regulatory graphs of cell types or cells (GraphSAGE).",
    "-e EDGES [options] [COUNTS]",
    table,
    0,
    1,
    "  grn-embed -e regulons.edges.zst -o emb.tensor.zst counts.h5ad\n"
    "  grn-embed -e regulons.edges.zst -a active.tensor.zst --level cell --barcode "
    "AAACATACAACCAC-1 -o cell.tensor.zst counts.h5ad\n"
    "  grn-embed -e regulons.edges.zst --model model.tensor.zst -o emb.tensor.zst counts.h5ad\n",
};

/* Everything a run holds. */
typedef struct {
    grn_par_t *pool;
    grn_dev_t *dev;
    grn_edges_t edges;
    grn_activity_t activity;
    grn_mr_t *reader;          /* COUNTS: names and attributes only */
    grn_matrix_t bare;         /* without COUNTS: the cells of the activity */
    const grn_matrix_t *cells; /* one of both, or NULL */
    grn_names_t genes;         /* the universe */
    grn_dir dir;
    embed_graphs_t graphs;
    encoder_t *encoder; /* trained here, or */
    grn_model_t *model; /* trained before */
    grn_batch_t *batch;
    uint64_t dim;
    train_result_t train;
    grn_result_t test;
    embed_out_t out;
} run_t;

static void run_clear(run_t *r)
{
    embed_out_abort(&r->out);
    grn_result_clear(&r->test);
    grn_batch_destroy(r->batch);
    grn_model_destroy(r->model);
    encoder_destroy(r->encoder);
    embed_graphs_clear(&r->graphs);
    grn_names_clear(&r->genes);
    grn_matrix_clear(&r->bare);
    grn_mr_close(r->reader);
    grn_activity_clear(&r->activity);
    grn_edges_clear(&r->edges);
    grn_dev_close(r->dev);
}

static grn_status check_options(const grn_args_t *args)
{
    int by_cell = strcmp(opt.level, "cell") == 0, chosen = opt.barcode.n > 0 || opt.barcodes;
    (void)args;
    if (!opt.edges) return grn_err(GRN_EUSAGE, "--edges is needed");
    if (by_cell && !opt.activity) return grn_err(GRN_EUSAGE, "--level cell needs --activity");
    if (by_cell && !chosen)
        return grn_err(GRN_EUSAGE, "--level cell needs --barcode or --barcodes");
    if (!by_cell && chosen)
        return grn_err(GRN_EUSAGE, "--barcode and --barcodes go with --level cell");
    return GRN_OK;
}

static grn_status load_inputs(run_t *r, const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_counts_opt_t co;
    GRN_TRY(grn_edges_load(opt.edges, r->pool, &r->edges));
    if (opt.activity) GRN_TRY(grn_activity_load(opt.activity, r->pool, &r->activity));
    if (args->n > 0) {
        GRN_TRY(grn_counts_cli(&opt.counts, &co));
        GRN_TRY(grn_mr_open(&r->reader, args->v[0], &co, r->pool));
        r->cells = grn_mr_info(r->reader);
    } else if (opt.activity) {
        GRN_TRY(grn_names_dup(&r->bare.row, &r->activity.cells));
        r->bare.n_rows = r->bare.row.n;
        r->cells = &r->bare;
    }
end:
    return rc;
}

/* Genes of the edges, in bytewise order; with COUNTS only those that it has. */
static grn_status find_universe(run_t *r)
{
    grn_status rc = GRN_OK;
    const grn_names_t *all = &r->edges.genes;
    uint32_t *order = NULL;
    if (r->model) return grn_names_dup(&r->genes, &r->model->genes);
    GRN_TRY(GRN_NEW_RAW(order, all->n));
    GRN_TRY(grn_names_sort(all, order));
    for (size_t i = 0; i < all->n; i++) {
        const char *name = grn_names_get(all, order[i]);
        if (!r->reader || grn_names_find(&r->cells->col, name) != GRN_NAMES_NONE)
            GRN_TRY(grn_names_add(&r->genes, name, NULL, NULL));
    }
    if (r->genes.n == 0 && all->n > 0) {
        GRN_FAIL(GRN_EEMPTY,
                 "none of the %zu genes of the edges is in the counts; first names: '%s' and '%s'",
                 all->n, grn_names_get(all, 0),
                 r->cells->col.n > 0 ? grn_names_get(&r->cells->col, 0) : "(none)");
    }
end:
    free(order);
    return rc;
}

/* With --model: the encoder as it was trained. Else: train one, then test it on the held-out links.
 */
static grn_status get_encoder(run_t *r)
{
    grn_status rc = GRN_OK;
    encoder_opt_t eo = { opt.dim,    opt.fanout,     opt.last_act,
                         opt.l2norm, opt.neg_weight, grn_common.seed };
    if (r->model) {
        r->dim = (uint64_t)r->model->cfg.dim;
        grn_log_info("encoder of '%s', %lld steps; it was trained on all edges it was given, so no "
                     "link can be held out here",
                     opt.model, (long long)r->model->step);
        return grn_batch_create(&r->batch, r->dev, r->pool);
    }
    r->dim = (uint64_t)opt.dim;
    GRN_TRY(encoder_create(&r->encoder, r->dev, &eo, r->graphs.reg.gene_key, r->genes.n, r->pool));
    GRN_TRY(embed_train(r->encoder, &r->graphs, &opt.train, &r->train));
    grn_log_info("loss per pair %.4f in the first epoch, %.4f in the last (all scores 0: %.4f); "
                 "%llu pairs in %llu steps",
                 r->train.first, r->train.last, r->train.chance, (unsigned long long)r->train.pairs,
                 (unsigned long long)r->train.steps);
    if (r->graphs.n_held_links == 0) {
        if (opt.holdout > 0)
            grn_log_warn("no link could be held out without leaving a gene alone: no test");
        return GRN_OK;
    }
    rc = embed_link_test(r->encoder, &r->graphs, r->pool, &r->test);
    if (rc == GRN_EEMPTY) {
        grn_log_warn("%s: no test", grn_err_msg());
        rc = GRN_OK;
    }
end:
    return rc;
}

static void report_test(const run_t *r)
{
    const grn_attr_t *method = grn_result_col(&r->test, "method"),
                     *auroc = grn_result_col(&r->test, "auroc");
    const grn_attr_t *lo = grn_result_col(&r->test, "lo"), *hi = grn_result_col(&r->test, "hi"),
                     *n = grn_result_col(&r->test, "n_pos");
    for (size_t i = 0; i < r->test.n; i++)
        grn_log_info("held-out links, AUROC of %-9s %.3f (95%% %.3f to %.3f) on %.0f arcs and as "
                     "many unlinked pairs of the same TFs",
                     grn_result_text(method, i), auroc->num[i], lo->num[i], hi->num[i], n->num[i]);
}

static grn_status embed_graph(run_t *r, const grn_csr_t *g, const uint32_t *node, size_t n,
                              float **x)
{
    grn_status rc = GRN_NEW_RAW(*x, n * r->dim);
    if (rc || n == 0) return rc;
    if (r->model) return grn_model_embed_graph(r->model, r->batch, g, node, n, *x);
    return encoder_embed(r->encoder, g, node, n, *x);
}

static grn_status write_types(run_t *r)
{
    grn_status rc = GRN_OK;
    grn_names_t contexts = { 0 };
    uint32_t *degree = NULL, *node = NULL;
    float *x = NULL;
    GRN_TRY(GRN_NEW(degree, r->genes.n));
    for (size_t c = 0; c < r->graphs.n; c++) {
        const embed_graph_t *g = &r->graphs.graph[c];
        size_t n, n_arc;
        const grn_arc_t *arc = grn_regulation_type(&r->graphs.reg, (uint32_t)g->id, &n_arc);
        GRN_TRY(
            grn_names_add(&contexts, grn_names_get(&r->graphs.reg.contexts, g->id), NULL, NULL));
        GRN_TRY(embed_nodes(arc, n_arc, r->genes.n, &node, &n, degree));
        GRN_TRY(embed_graph(r, &g->full, node, n, &x));
        GRN_TRY(embed_out_add(&r->out, x, node, n, degree, (uint16_t)c, 0));
        free(x);
        free(node);
        x = NULL;
        node = NULL;
    }
    grn_log_info("%llu embeddings of %zu genes in %zu contexts", (unsigned long long)r->out.n,
                 r->genes.n, r->graphs.n);
    GRN_TRY(embed_out_commit(&r->out, &r->genes, &contexts, NULL));
end:
    free(x);
    free(node);
    free(degree);
    grn_names_clear(&contexts);
    return rc;
}

/* The chosen cells in bytewise order: *row malloc'ed, rows of r->cells. */
static grn_status choose_cells(run_t *r, grn_names_t *names, size_t **row)
{
    grn_status rc = GRN_OK;
    grn_names_t asked = { 0 };
    uint32_t *order = NULL;
    for (size_t i = 0; i < opt.barcode.n; i++)
        GRN_TRY(grn_names_add(&asked, opt.barcode.v[i], NULL, NULL));
    if (opt.barcodes) GRN_TRY(grn_tflist_load(opt.barcodes, &asked, NULL));
    GRN_TRY(GRN_NEW_RAW(order, asked.n));
    GRN_TRY(GRN_NEW_RAW(*row, asked.n));
    GRN_TRY(grn_names_sort(&asked, order));
    for (size_t i = 0; i < asked.n; i++) {
        const char *name = grn_names_get(&asked, order[i]);
        size_t k = grn_names_find(&r->cells->row, name);
        if (k == GRN_NAMES_NONE)
            GRN_FAIL(GRN_ESHAPE, "cell '%s' is not among the %zu cells, first '%s'", name,
                     r->cells->row.n,
                     r->cells->row.n > 0 ? grn_names_get(&r->cells->row, 0) : "(none)");
        GRN_TRY(grn_names_add(names, name, NULL, NULL));
        (*row)[i] = k;
    }
end:
    grn_names_clear(&asked);
    free(order);
    return rc;
}

static grn_status write_cell(run_t *r, const grn_cell_masks_t *mask, size_t row, uint32_t at,
                             uint32_t *degree)
{
    grn_status rc = GRN_OK;
    grn_arcs_t arcs = { 0 };
    grn_csr_t csr = { 0 };
    uint32_t *node = NULL, context = mask->context[row];
    float *x = NULL;
    size_t n;
    if (context == GRN_CONTEXT_NONE) return GRN_OK;
    GRN_TRY(grn_regulation_cell(&r->graphs.reg, context, mask->on + row * mask->n_words, &arcs));
    GRN_TRY(grn_csr_build(&csr, r->genes.n, arcs.a, arcs.n, r->dir));
    GRN_TRY(embed_nodes(arcs.a, arcs.n, r->genes.n, &node, &n, degree));
    GRN_TRY(embed_graph(r, &csr, node, n, &x));
    GRN_TRY(embed_out_add(&r->out, x, node, n, degree, (uint16_t)context, at));
end:
    free(x);
    free(node);
    grn_csr_clear(&csr);
    grn_arcs_clear(&arcs);
    return rc;
}

static grn_status write_cells(run_t *r)
{
    grn_status rc = GRN_OK;
    grn_names_t names = { 0 };
    grn_cell_masks_t mask = { 0 };
    size_t *row = NULL, n_empty = 0;
    uint32_t *degree = NULL;
    GRN_TRY(choose_cells(r, &names, &row));
    GRN_TRY(grn_cell_masks_build(&r->graphs.reg, &r->activity, r->cells, &mask));
    GRN_TRY(GRN_NEW(degree, r->genes.n));
    for (size_t i = 0; i < names.n; i++) {
        uint64_t before = r->out.n;
        GRN_TRY(write_cell(r, &mask, row[i], (uint32_t)i, degree));
        n_empty += r->out.n == before;
    }
    if (r->out.n == 0)
        GRN_FAIL(GRN_EEMPTY, "none of the %zu cells has a regulon that is on", names.n);
    grn_log_info("%llu embeddings of genes in %zu cells; %zu cells have no regulon that is on",
                 (unsigned long long)r->out.n, names.n, n_empty);
    GRN_TRY(embed_out_commit(&r->out, &r->genes, &r->graphs.reg.contexts, &names));
end:
    grn_names_clear(&names);
    grn_cell_masks_clear(&mask);
    free(row);
    free(degree);
    return rc;
}

static grn_status meta_number(grn_cw_t *w, const char *key, double x)
{
    char text[32];
    return grn_cw_meta(w, key, grn_fmt_f64(text, x));
}

/* What the numbers depend on and what they are worth. */
static grn_status write_meta(run_t *r)
{
    grn_status rc = GRN_OK;
    grn_cw_t *w = r->out.w;
    GRN_TRY(grn_cw_meta(w, "encoder", r->model ? "model" : "graphsage"));
    GRN_TRY(grn_cw_meta(w, "device",
                        grn_dev_name(r->dev)[0] == 'c' && grn_dev_name(r->dev)[1] == 'p'
                            ? "cpu"
                            : grn_dev_name(r->dev)));
    if (r->model) goto end;
    GRN_TRY(grn_cw_meta(w, "direction", opt.direction));
    GRN_TRY(meta_number(w, "fanout", (double)opt.fanout));
    GRN_TRY(meta_number(w, "epochs", (double)opt.train.epochs));
    GRN_TRY(meta_number(w, "loss", r->train.last));
    GRN_TRY(meta_number(w, "loss_chance", r->train.chance));
    for (size_t i = 0; i < r->test.n; i++) {
        char key[64];
        snprintf(key, sizeof key, "auroc_%s",
                 grn_result_text(grn_result_col(&r->test, "method"), i));
        GRN_TRY(meta_number(w, key, grn_result_col(&r->test, "auroc")->num[i]));
    }
end:
    return rc;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    run_t r = { .pool = grn_common.pool };
    int by_cell = strcmp(opt.level, "cell") == 0;
    GRN_TRY(check_options(args));
    GRN_TRY(grn_dev_open(&r.dev, grn_common.device, r.pool));
    grn_log_info("device %s%s%s", grn_dev_name(r.dev), r.dev->note[0] ? "; " : "", r.dev->note);
    GRN_TRY(load_inputs(&r, args));
    r.dir = strcmp(opt.direction, "in") == 0    ? GRN_DIR_IN
            : strcmp(opt.direction, "out") == 0 ? GRN_DIR_OUT
                                                : GRN_DIR_BOTH;
    if (opt.model) {
        GRN_TRY(grn_model_load(&r.model, r.dev, opt.model, r.pool));
        r.dir = r.model->cfg.direction;
    }
    GRN_TRY(find_universe(&r));
    GRN_TRY(embed_graphs_build(&r.graphs, &r.edges, &r.genes, r.dir, r.model ? 0 : opt.holdout,
                               grn_common.seed));
    grn_log_info(
        "%zu contexts, %zu genes, %zu links of which %zu held out; %zu edges outside these genes",
        r.graphs.n, r.genes.n, r.graphs.n_link, r.graphs.n_held_links, r.graphs.reg.n_outside);
    GRN_TRY(embed_out_open(&r.out, opt.out, 0, by_cell,
                           r.pool)); /* now, so that a bad path is found before the work */
    GRN_TRY(get_encoder(&r));
    report_test(&r);
    r.out.dim = r.dim;
    GRN_TRY(write_meta(&r));
    if (opt.metrics && r.test.n > 0) GRN_TRY(grn_result_save(&r.test, opt.metrics, r.pool));
    GRN_TRY(by_cell ? write_cells(&r) : write_types(&r));
end:
    run_clear(&r);
    return rc;
}

int main(int argc, char **argv)
{
    return grn_tool_main(&tool, argc, argv, run);
}
