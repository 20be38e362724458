/* Who is listened to: attention of the fusion layer received per gene, TFs against other genes
 * (GRNFormer's phi and rho), and the same with the graph's arcs rewired at fixed degrees: what is
 * left then is hubs, not regulation. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "graph/perturb.h"
#include "grn-eval/eval.h"
#include "grn-eval/subject.h"

enum { BATCH = 32 };

static struct {
    const char *counts, *edges, *activity, *out, *genes;
    int64_t rewirings, max_cells;
    grn_counts_cli_t in;
} opt = { .rewirings = 5, .max_cells = 2000, .in = GRN_COUNTS_CLI_INIT };

typedef struct { /* per gene, over the cells whose sequence holds it */
    double *sum; /* attention received x number of keys: 1 = uniform */
    double *n;   /* cells */
    double rho;  /* mean of TFs / mean of other genes */
    double phi[2];
    size_t count[2]; /* genes seen: other, TF */
} phi_t;

static void phi_clear(phi_t *p)
{
    free(p->sum);
    free(p->n);
    memset(p, 0, sizeof *p);
}

static grn_status add_batch(grn_subject_t *s, const uint32_t *cell, size_t n, phi_t *p)
{
    grn_status rc;
    grn_view_t view = { 0,
                        GRN_QUERY_GENES,
                        { .mask = -1, .epoch = GRN_EPOCH_EVAL, .seed = grn_common.seed } };
    float *phi = NULL;
    GRN_TRY(grn_batch_fill(s->batch, &s->model->cfg, &s->cells, cell, n, &view));
    GRN_TRY(GRN_NEW(phi, (size_t)s->batch->n_keys + 1));
    GRN_TRY(grn_model_attention(s->model, s->batch, phi));
    const int64_t *off = s->batch->key_off.h;
    for (int64_t c = 0; c < s->batch->n_cells; c++) {
        double keys = (double)(off[c + 1] - off[c]), total = 0;
        for (int64_t k = off[c]; k < off[c + 1]; k++) {
            p->sum[s->batch->key_gene[k]] += phi[k] * keys;
            p->n[s->batch->key_gene[k]]++;
            total += phi[k];
        }
        if (keys > 0 && fabs(total - 1) > 1e-3)
            GRN_FAIL(GRN_ENONFINITE, "attention of a cell sums to %g, not 1", total);
    }
end:
    free(phi);
    return rc;
}

/* phi of every gene and rho, for the model's held-out cells and one set of edges. */
static grn_status measure(grn_dev_t *dev, const char *path, grn_eval_inputs_t *in,
                          const grn_edges_t *edges, phi_t *p, grn_subject_t *s)
{
    grn_status rc;
    double sum[2] = { 0 };
    GRN_TRY(grn_subject_open(s, dev, path, in, edges));
    size_t G = s->model->genes.n,
           n = s->n_test < (size_t)opt.max_cells ? s->n_test : (size_t)opt.max_cells;
    if (s->model->cfg.grn == GRN_GRN_NONE)
        GRN_FAIL(GRN_EUNSUP, "'%s' was trained without a graph: it has no fusion layer to look at",
                 path);
    GRN_TRY(GRN_NEW(p->sum, G));
    GRN_TRY(GRN_NEW(p->n, G));
    for (size_t i = 0; i < n; i += BATCH)
        GRN_TRY(add_batch(s, s->test + i, n - i < BATCH ? n - i : BATCH, p));
    for (size_t g = 0; g < G; g++) {
        int tf = s->cells.reg.is_tf[g] != 0;
        if (p->n[g] == 0) continue;
        sum[tf] += p->sum[g] / p->n[g];
        p->count[tf]++;
    }
    if (!p->count[0] || !p->count[1])
        GRN_FAIL(GRN_EEMPTY, "the held-out cells show %zu TFs and %zu other genes; both are needed",
                 p->count[1], p->count[0]);
    for (int k = 0; k < 2; k++) p->phi[k] = sum[k] / (double)p->count[k];
    p->rho = p->phi[1] / p->phi[0];
end:
    return rc;
}

typedef struct { /* an edge row by context and arc, to give the k-th arc of a context its rewired
                    target */
    uint32_t context;
    grn_arc_t arc;
    size_t row;
} placed_t;

static int by_place(const void *a, const void *b)
{
    const placed_t *x = a, *y = b;
    if (x->context != y->context) return x->context < y->context ? -1 : 1;
    if (x->arc != y->arc) return x->arc < y->arc ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* The edges with every context's arcs rewired: TFs keep their number of targets, genes their number
 * of TFs, rows their regulons and regions. */
static grn_status rewire(const grn_edges_t *e, uint64_t seed, grn_edges_t *out)
{
    grn_status rc;
    size_t *all = NULL;
    placed_t *p = NULL;
    grn_arcs_t arcs = { 0 };
    GRN_TRY(GRN_NEW(all, e->n));
    GRN_TRY(GRN_NEW(p, e->n));
    for (size_t i = 0; i < e->n; i++) {
        all[i] = i;
        p[i] = (placed_t){ e->context ? e->context[i] : 0, grn_arc(e->tf[i], e->gene[i]), i };
    }
    GRN_TRY(grn_edges_pick(e, all, e->n, out));
    qsort(p, e->n, sizeof *p, by_place);
    for (size_t i = 0, end_; i < e->n; i = end_) {
        arcs.n = 0;
        for (end_ = i; end_ < e->n && p[end_].context == p[i].context; end_++) {
            if ((arcs.n && arcs.a[arcs.n - 1] == p[end_].arc) ||
                grn_arc_u(p[end_].arc) == grn_arc_v(p[end_].arc))
                continue;
            GRN_TRY(GRN_GROW(arcs.a, arcs.cap, arcs.n + 1));
            arcs.a[arcs.n++] = p[end_].arc;
        }
        const char *context = e->context ? grn_names_get(&e->contexts, p[i].context) : "all";
        GRN_TRY(grn_arcs_rewire(&arcs, seed, grn_hash_str(context)));
        size_t k = 0; /* arcs stay grouped by TF with the same counts, so the k-th old arc and the
                         k-th new one share their TF */
        for (size_t j = i; j < end_; j++) {
            if (grn_arc_u(p[j].arc) == grn_arc_v(p[j].arc)) continue;
            out->gene[p[j].row] = grn_arc_v(arcs.a[k]);
            if (j + 1 < end_ && p[j + 1].arc != p[j].arc) k++;
        }
    }
end:
    grn_arcs_clear(&arcs);
    free(all);
    free(p);
    return rc;
}

/* Neighbours of each gene in the union of the type graphs, either direction. */
static void degrees(const grn_subject_t *s, double *degree)
{
    for (size_t c = 0; c < s->cells.reg.contexts.n; c++)
        for (uint32_t g = 0; g < s->model->genes.n; g++) {
            double d = (double)grn_csr_degree(&s->cells.type_csr[c], g);
            if (d > degree[g]) degree[g] = d;
        }
}

static grn_status save_genes(const grn_subject_t *s, const phi_t *p)
{
    grn_status rc;
    grn_result_t r = { 0 };
    double *degree = NULL;
    GRN_TRY(GRN_NEW(degree, s->model->genes.n));
    degrees(s, degree);
    GRN_TRY(grn_result_init(&r, "attention.gene", "Attention received per gene, 1 = uniform",
                            "gene$,is_tf,degree,cells,phi"));
    for (size_t g = 0; g < s->model->genes.n; g++)
        if (p->n[g] > 0)
            GRN_TRY(grn_result_row(&r, grn_names_get(&s->model->genes, g),
                                   s->cells.reg.is_tf[g] ? 1.0 : 0.0, degree[g], p->n[g],
                                   p->sum[g] / p->n[g]));
    rc = grn_result_save(&r, opt.genes, grn_common.pool);
end:
    free(degree);
    grn_result_clear(&r);
    return rc;
}

static grn_status emit_row(grn_result_t *r, const char *graph, const phi_t *p, double rho,
                           double sd)
{
    return grn_result_row(r, graph, (double)p->count[1], (double)p->count[0], p->phi[1], p->phi[0],
                          rho, sd);
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    grn_eval_inputs_t in = { 0 };
    grn_counts_opt_t copt = GRN_COUNTS_OPT_INIT;
    grn_dev_t *dev = NULL;
    grn_subject_t s = { 0 };
    phi_t real = { 0 }, p = { 0 };
    grn_edges_t other = { 0 };
    grn_result_t r = { 0 };
    double sum = 0, sum2 = 0, n = (double)opt.rewirings;
    if (!opt.counts || !opt.edges)
        GRN_FAIL(GRN_EUSAGE, "give the expression with --counts and the regulons with --edges");
    GRN_TRY(grn_counts_cli(&opt.in, &copt));
    GRN_TRY(grn_dev_open(&dev, grn_common.device, grn_common.pool));
    GRN_TRY(grn_eval_inputs_load(&in, opt.counts, &copt, opt.edges, opt.activity));
    GRN_TRY(measure(dev, args->v[0], &in, &in.edges, &real, &s));
    if (opt.genes) GRN_TRY(save_genes(&s, &real));
    GRN_TRY(grn_result_init(&r, "attention",
                            "Attention of the fusion layer: TFs against other genes, and with the "
                            "graph rewired at fixed degrees",
                            "graph$,tfs,other_genes,phi_tf,phi_other,rho,rho_sd"));
    GRN_TRY(emit_row(&r, "as trained", &real, real.rho, NAN));
    for (int64_t k = 0; k < opt.rewirings; k++) {
        grn_subject_close(&s);
        phi_clear(&p);
        grn_edges_clear(&other);
        GRN_TRY(rewire(&in.edges, grn_common.seed + (uint64_t)k, &other));
        GRN_TRY(measure(dev, args->v[0], &in, &other, &p, &s));
        sum += p.rho;
        sum2 += p.rho * p.rho;
    }
    if (opt.rewirings)
        GRN_TRY(emit_row(&r, "rewired", &p, sum / n,
                         n > 1 ? sqrt(fmax(0, (sum2 - sum * sum / n) / (n - 1))) : (double)NAN));
    rc = grn_eval_emit(&r, opt.out);
end:
    grn_subject_close(&s);
    phi_clear(&real);
    phi_clear(&p);
    grn_edges_clear(&other);
    grn_eval_inputs_clear(&in);
    grn_result_clear(&r);
    grn_dev_close(dev);
    return rc;
}

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Cells and graphs"),
    GRN_OPT_STR(0, "counts", "FILE", &opt.counts,
                "expression the model was trained on; its held-out cells are used"),
    GRN_OPT_STR('e', "edges", "FILE", &opt.edges, "regulons"),
    GRN_OPT_STR('a', "activity", "FILE", &opt.activity,
                "on/off calls (for cell and hybrid models)"),
    GRN_OPT_HEAD("Evaluation"),
    GRN_OPT_INT(0, "rewirings", "INT", &opt.rewirings, 0, 1000,
                "degree-preserving random graphs to compare with"),
    GRN_OPT_INT(0, "max-cells", "INT", &opt.max_cells, 1, 1000000000, "held-out cells to look at"),
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "FILE", &opt.out, "also save the table as grn.result"),
    GRN_OPT_STR(0, "genes", "FILE", &opt.genes,
                "attention and degree of every gene as grn.result, for grn-plot attention"),
    GRN_OPT_HEAD("Input"),
    GRN_COUNTS_OPTIONS(opt.in),
    GRN_OPT_END,
};
const grn_subtool_t grn_eval_attention = {
    { "grn-eval attention", "Attention received by TFs and other genes, against rewired graphs.",
      "[options] --counts COUNTS -e EDGES MODEL", table, 1, 1, NULL },
    run
};
